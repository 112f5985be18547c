// The results as text for people and as JSON for programs. One thread.
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

}  // namespace skua::bench
