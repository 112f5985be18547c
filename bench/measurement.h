// Measurement: what one contestant did in one turn, the latency histogram it is made with, and Tally, which a client
// that times its operations itself adds them to.
//
// Any thread, one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace skua::bench {

// Latencies in buckets of at most 1/16 of their value. Plain data of fixed size, so that it can lie in memory
// shared between processes.
class LatencyHistogram {
 public:
  void add(std::chrono::nanoseconds latency) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    ++counts_[bucket_of(ns)];
    ++count_;
    max_ns_ = std::max(max_ns_, ns);
  }
  void add(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }
  std::uint64_t count() const { return count_; }
  // Exact.
  double max_us() const { return static_cast<double>(max_ns_) / 1'000; }
  // The latency that this share of all stayed below, in microseconds; 0 if there is none.
  double quantile_us(double share) const {
    const double rank = share * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= rank) {
        return static_cast<double>(std::min(upper_ns(i), max_ns_)) / 1'000;
      }
    }
    return 0;
  }

 private:
  static constexpr std::size_t kSteps = 16;  // in each power of two
  static constexpr std::size_t kBuckets = 64 * kSteps;

  static std::size_t bucket_of(std::uint64_t ns) {
    if (ns < kSteps) return static_cast<std::size_t>(ns);
    const auto shift = static_cast<std::size_t>(std::bit_width(ns)) - 5;
    return std::min(kBuckets - 1, (shift + 1) * kSteps + static_cast<std::size_t>(ns >> shift) - kSteps);
  }
  static std::uint64_t upper_ns(std::size_t bucket) {
    if (bucket < kSteps) return bucket;
    const std::size_t shift = bucket / kSteps - 1;
    return (std::uint64_t{kSteps} + bucket % kSteps + 1) << shift;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
};

// The latency that this share of all operations stayed below.
struct LatencyPoint {
  double share = 0;
  double us = 0;
};
// From a share of 0 to 1, the closer to 1 the finer: eight steps for each further nine, and no finer than there are
// operations. Empty without operations.
inline std::vector<LatencyPoint> distribution_of(const LatencyHistogram& latencies) {
  constexpr double kStepsInDecade = 8;
  std::vector<LatencyPoint> points;
  if (latencies.count() == 0) return points;
  double rest = 1;
  for (int step = 0; rest * static_cast<double>(latencies.count()) >= 1; rest = std::pow(10, -++step / kStepsInDecade)) {
    points.push_back({1 - rest, latencies.quantile_us(1 - rest)});
  }
  points.push_back({1, latencies.max_us()});
  return points;
}

// What a client that times its operations itself has to say.
struct Tally {
  LatencyHistogram latencies;         // of those that succeeded
  std::chrono::nanoseconds aside{};   // spent on what is no part of them; does not count as their time
  double elsewhere_cpu_seconds = 0;   // of a process of the client's own
};

// Clients of one role of a workload that has roles.
struct ClientGroup {
  std::size_t role = 0;
  std::size_t clients = 1;
};

// What one contestant is asked for.
struct Turn {
  std::vector<ClientGroup> groups = {{}};
  std::chrono::nanoseconds warm_up{};
  std::chrono::nanoseconds duration{};
};

// Of one group of clients.
struct Measurement {
  double units_per_second = 0;   // summed over the clients
  LatencyHistogram latencies;    // of single operations, also of those that failed, all clients together
  std::uint64_t operations = 0;  // that succeeded
  std::uint64_t busy = 0;        // operations that failed with SQLITE_BUSY
  std::uint64_t errors = 0;      // that failed otherwise; a client that could not begin counts as one
  std::string first_error;       // of those counted in `errors`; empty if there are none
  double fairness = 1;  // the operations of the client that did the fewest over those of the one with most
  double client_cpu_seconds = 0;
};

struct TurnMeasurement {
  std::vector<Measurement> groups;                 // as in the turn
  std::optional<double> server_cpu_seconds;        // nothing if no server does the work
  std::optional<std::uint64_t> server_peak_bytes;  // resident; nothing if it is more than one process
};

}  // namespace skua::bench
