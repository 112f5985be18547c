// ShortWrites: which writes may be run on the loop thread, where nobody else is served until they are done.
//
// Small single statements that change rows, so long as they keep to a budget. One that did not goes to the
// writer's thread from then on, and after a sync to the disk that took long all of them do for a while. Whoever
// uses the writer connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/core/executor.h"

namespace skua {

class ShortWrites {
 public:
  // For the statement, before its commit: about what ten short ones take.
  static constexpr std::uint64_t kBudgetUs = 1000;
  static constexpr std::size_t kRequestBytesMax = std::size_t{16} << 10;
  // One that takes longer than kPatienceUs, commit and all, is followed by a pause.
  static constexpr std::uint64_t kPatienceUs = 5'000;
  static constexpr std::uint64_t kPauseUs = 1'000'000;

  bool may_run(const Job& job, std::uint64_t now_us) const;
  // It had to be stopped.
  void add_long(const Job& job);
  void on_long_run(std::uint64_t now_us) { paused_until_us_ = now_us + kPauseUs; }

 private:
  static std::size_t hash_of(const Job& job);

  // Of the SQL of statements that were too long, in a ring: one that is forgotten is tried again.
  std::array<std::size_t, 64> long_{};
  std::size_t next_ = 0;
  std::uint64_t paused_until_us_ = 0;
};

}  // namespace skua
