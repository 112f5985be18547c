// WorkerReport: what one client process did, in memory shared with the process that started it.
//
// Plain fixed-size data: written by the one process it belongs to, read by the starter after that process has
// ended.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/error.h"

namespace skua::stress {

enum class Operation : std::uint8_t {
  kPing,
  kPointRead,
  kRangeRead,
  kTotalRead,
  kInsert,
  kReadOwnInsert,
  kTransfer,
  kTransferRolledBack,
  kTransferProgram,
  kReadTransaction,
  kStream,
  kStreamAbandoned,
};
inline constexpr std::size_t kOperations = 12;
inline constexpr std::array<std::string_view, kOperations> kOperationNames = {
    "ping",
    "point read",
    "range read",
    "total read",
    "insert",
    "read own insert",
    "transfer",
    "transfer, rolled back",
    "transfer program",
    "read transaction",
    "stream",
    "stream, abandoned",
};

// Durations by powers of two of a microsecond: enough for a p99 to within a factor of two.
struct DurationHistogram {
  static constexpr std::size_t kBuckets = 40;

  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t count = 0;
  std::uint64_t total_us = 0;
  std::uint64_t max_us = 0;

  void add(std::chrono::nanoseconds duration) {
    const auto us = static_cast<std::uint64_t>(duration.count() / 1'000);
    ++counts[static_cast<std::size_t>(std::bit_width(us)) % kBuckets];
    ++count;
    total_us += us;
    if (us > max_us) max_us = us;
  }
  void add(const DurationHistogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts[i] += other.counts[i];
    count += other.count;
    total_us += other.total_us;
    if (other.max_us > max_us) max_us = other.max_us;
  }
  // No operation below this share of all took longer.
  std::uint64_t quantile_us(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts[i];
      if (seen > rank) return std::min(max_us, std::uint64_t{1} << i);
    }
    return max_us;
  }
};

struct WorkerReport {
  std::array<DurationHistogram, kOperations> durations;
  std::uint64_t operations = 0;
  std::uint64_t entries = 0;    // acknowledged inserts, numbered from 1
  std::uint64_t transfers = 0;  // acknowledged
  std::uint64_t reads_ended = 0;    // by the daemon, so that the log could be emptied
  std::uint64_t log_bytes_max = 0;  // the largest size of the log's file that was seen
  std::uint64_t memory_bytes_max = 0;  // the most that the daemon was seen to have
  std::uint64_t errors = 0;
  std::array<char, 400> first_error{};
  bool finished = false;

  void add_error(std::string_view what) {
    if (errors++ > 0) return;
    std::memcpy(first_error.data(), what.data(), std::min(what.size(), first_error.size() - 1));
  }
};

}  // namespace skua::stress
