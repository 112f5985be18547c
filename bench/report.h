// Report: all that a run came to, and what is made of it: text for people, JSON for programs, HTML with plots. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/environment.h"

namespace skua::bench {

struct Report {
  Environment environment;
  LoadAverage load_after;
  std::string skua_version;
  std::string skua_sqlite;  // the library that the daemon uses
  std::uint64_t seed = 0;
  std::int64_t scale = 0;
  ContestOptions options;
  std::vector<ContestResult> results;
};

std::string environment_as_text(const Report& report);
// What the columns of result_as_text() are.
std::string legend_as_text();
std::string result_as_text(const ContestResult& result);
std::string report_as_json(const Report& report);
// One file that needs no other: a table for each contest, and plots.
std::string report_as_html(const Report& report);

}  // namespace skua::bench
