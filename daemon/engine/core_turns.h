// CoreTurns: when a thread whose work is long lets others have its core.
//
// The kernel ends a thread's slice at a tick of its clock, 4 ms apart on many systems (CONFIG_HZ=250), however short the slice is and
// however many have waited meanwhile. Where a core is idle and several wake up at once, one of them so keeps it from the others
// for milliseconds, in which they might all have answered somebody. Who gives it away by itself (sched_yield(2), which takes 0.2 us
// where nobody wants it) has it back as soon as they are through. But one who computes does not give it back before a tick either:
// where that happens it is offered the less often. No clock, no thread of its own.
#pragma once

#include <algorithm>
#include <cstdint>

namespace skua {

class CoreTurns {
 public:
  // Times are in microseconds of a monotonic clock.
  bool is_over(std::uint64_t now_us) const { return now_us >= end_us_; }
  // The core was offered at the one, and there again at the other time.
  void on_offered(std::uint64_t offered_us, std::uint64_t back_us) {
    turn_us_ = back_us - offered_us >= kLossUs ? std::min(turn_us_ * kTimesAfterLoss, kTurnUsMax) : std::max(turn_us_ / 2, kTurnUs);
    end_us_ = back_us + turn_us_;
  }

 private:
  static constexpr std::uint64_t kTurnUs = 100;
  static constexpr std::uint64_t kTurnUsMax = 25'600;
  static constexpr std::uint64_t kTimesAfterLoss = 4;
  // Many who each have little to do are through before.
  static constexpr std::uint64_t kLossUs = 1'500;

  std::uint64_t end_us_ = 0;
  std::uint64_t turn_us_ = kTurnUs;
};

}  // namespace skua
