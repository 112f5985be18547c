// CoreTurns: when a thread whose work is long lets others have its core.
//
// The kernel ends a thread's slice at a tick of its clock, 4 ms apart on many systems (CONFIG_HZ=250), however short the slice is and
// however many have waited meanwhile. Where a core is idle and several wake up at once, one of them so keeps it from the others
// for milliseconds, in which they might all have answered somebody. Who gives it away by itself (sched_yield(2), which takes 0.2 us
// where nobody wants it) has it back as soon as they are through. But those who compute do not give it back before a tick either, so
// who was away for long has a turn as long. No clock, no thread of its own.
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
    end_us_ = back_us + std::clamp(back_us - offered_us, kTurnUsMin, kTurnUsMax);
  }

 private:
  static constexpr std::uint64_t kTurnUsMin = 100;
  static constexpr std::uint64_t kTurnUsMax = 25'000;

  std::uint64_t end_us_ = 0;
};

}  // namespace skua
