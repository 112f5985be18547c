// run_contest: the rounds of one workload. Every round has each contestant once, in turns from the front and
// from the back, so that what changes on the machine meanwhile hits all of them; figures are compared within a
// round only.
//
// One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/measurement.h"
#include "bench/statistics.h"
#include "bench/workload.h"

namespace skua::bench {

struct ContestOptions {
  std::size_t rounds = 5;
  std::size_t clients = 1;
  std::chrono::nanoseconds duration{};  // of one contestant in one round
};

struct ContestantResult {
  std::string name;
  std::vector<double> rates;  // units per second, round by round
  LatencyHistogram latencies;
};

struct ContestResult {
  std::string workload;
  std::string description;
  std::string unit;
  std::vector<ContestantResult> contestants;

  // Skua's rate over the peer's in each round.
  std::vector<double> ratios_to(const ContestantResult& peer) const;
};

Result<ContestResult> run_contest(Workload& workload, const ContestOptions& options);

}  // namespace skua::bench
