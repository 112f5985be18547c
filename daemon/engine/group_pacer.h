// GroupPacer: how long the writer waits for more writes to join a group, learnt from the groups before.
//
// Of a few clients that write as fast as they can, one half would write while the other half's commit is
// synced, and each would wait for two syncs. Those just answered are likely to be back within a fraction of a
// sync: waiting for them makes one group of all. It waits for as many as wrote lately, no longer than half a
// commit takes, and after a wait in vain not at all for some groups. A client that writes alone is never kept
// waiting. No clock, no thread of its own.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace skua {

class GroupPacer {
 public:
  struct Plan {
    std::size_t count = 1;  // of writes to wait for
    std::chrono::microseconds wait{0};
  };

  // For the group to come.
  Plan plan() {
    if (groups_to_skip_ > 0) {
      --groups_to_skip_;
      return {};
    }
    if (expected_ <= 1) return {};
    return {expected_, std::chrono::microseconds(std::min(commit_us_ / 2, kWaitUsMax))};
  }
  // Whether as many came as planned.
  void on_waited(bool all_came) {
    skip_after_failure_ = all_came ? 1 : std::min(2 * skip_after_failure_, kSkipMax);
    if (!all_came) groups_to_skip_ = skip_after_failure_;
  }
  // A group of `size` is committed and about to be answered; `waiting` more came in the meantime.
  void on_group_done(std::size_t size, std::size_t waiting, std::uint64_t commit_us) {
    expected_ = size + waiting;
    commit_us_ = commit_us_ == 0 ? commit_us : (7 * commit_us_ + commit_us) / 8;
  }

 private:
  static constexpr std::uint64_t kWaitUsMax = 1000;
  static constexpr std::size_t kSkipMax = 64;

  std::size_t expected_ = 1;
  std::uint64_t commit_us_ = 0;
  std::size_t skip_after_failure_ = 1;
  std::size_t groups_to_skip_ = 0;
};

}  // namespace skua
