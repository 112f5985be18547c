// Contest: the rounds of one workload. Every round has each contestant once, in turns from the front and from
// the back, so that what changes on the machine meanwhile hits all of them; figures are compared within a round
// only.
//
// One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/client_group.h"
#include "bench/measurement.h"
#include "bench/statistics.h"
#include "bench/workload.h"

namespace skua::bench {

struct ContestOptions {
  std::size_t rounds = 5;
  std::chrono::nanoseconds warm_up{};   // before each turn
  std::chrono::nanoseconds duration{};  // of one contestant in one round
  std::vector<std::string> peers;       // that take part; empty: all
};

struct ContestantResult {
  std::string name;
  std::size_t threads = 0;       // 0: its clients were processes
  std::vector<double> rates;     // units per second, round by round
  std::vector<double> fairness;  // round by round
  LatencyHistogram latencies;
  std::uint64_t operations = 0;
  std::uint64_t busy = 0;
  std::uint64_t errors = 0;
  std::string first_error;
  double client_cpu_seconds = 0;
  std::optional<double> server_cpu_seconds;
  std::optional<std::uint64_t> server_peak_bytes;

  void add(const Measurement& round);
};

struct MissingPeer {
  std::string name;
  std::string reason;
};

struct ContestResult {
  std::string workload;
  std::string description;
  std::string unit;
  std::size_t clients = 1;
  std::vector<ContestantResult> contestants;  // Skua is the first
  std::vector<MissingPeer> missing;

  // Skua's rate over the peer's in each round in which the peer did anything.
  std::vector<double> ratios_to(const ContestantResult& peer) const;
};

class Contest {
 public:
  // Prepares the contestants. Fails if Skua cannot be prepared; a peer that cannot is missing.
  static Result<Contest> prepare(Workload workload, const ContestOptions& options);

  Result<ContestResult> run(std::size_t clients);
  // After the last run. Fails if any contestant's data is not what it must be.
  Status verify();

 private:
  Contest(Workload workload, const ContestOptions& options)
      : workload_(std::move(workload)), options_(options) {}

  Workload workload_;  // with the contestants that are there
  ContestOptions options_;
  std::vector<MissingPeer> missing_;
};

}  // namespace skua::bench
