// BusyPoll: whether who has nothing to do asks for events again and again for a moment, or sleeps until one comes.
//
// To be woken takes 30 to 60 us, and as much again for the core to get its caches back; a short read takes a few. So where
// the next event is most likely near, asking for it without a pause is several times as fast, and no dearer. It is taken to be
// near if the last one was. Where that turns out wrong the next tries are put off, twice as long each time, so that a peer whose
// events come in no regular way costs next to nothing; and at once for long after a wait that was so long that somebody else must
// have had the core, for who polls gives it away. On a core that nobody else wants it may go on for longer.
//
// Times are in microseconds of a monotonic clock. One thread. "Busy polling" as in socket(7), SO_BUSY_POLL.
#pragma once

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace skua {

class BusyPoll {
 public:
  // How long a wait may be for which nobody sleeps; 0: sleeps always. `alone_times` as long where nobody else has had the core
  // meanwhile. So one of many who wait keeps a core awake on which the others are woken; once they run, that is no failed try.
  explicit BusyPoll(std::uint32_t limit_us, std::uint32_t alone_times = 1)
      : limit_us_(limit_us), alone_us_(std::uint64_t{limit_us} * alone_times) {}

  // There is nothing to do but to wait, and perhaps to sleep in any case.
  void begin(std::uint64_t now_us, bool may_poll = true) {
    since_us_ = asked_us_ = now_us;
    is_alone_ = alone_us_ > limit_us_;
    lost_the_core_ = false;
    polls_ = expects_soon_ && may_poll;
  }
  // Somebody else has work for the core after all: it sleeps, which says nothing about whether the event was near.
  void give_up() { polls_ = false; }
  // Asks once more instead of sleeping. Who calls this lets others have the core in between.
  bool goes_on(std::uint64_t now_us) {
    const std::uint64_t away_us = now_us - std::exchange(asked_us_, now_us);
    if (is_alone_ && away_us > kAwayUs) {
      is_alone_ = false;
      lost_the_core_ = away_us > kLostTheCore * limit_us_;
    }
    const std::uint64_t waited_us = now_us - since_us_;
    if (alone_us_ > limit_us_ && !is_alone_ && waited_us >= limit_us_) give_up();
    return polls_ && waited_us < (is_alone_ ? alone_us_ : limit_us_);
  }
  // There is something to do.
  void end(std::uint64_t now_us) {
    const std::uint64_t waited_us = now_us - since_us_;
    if (lost_the_core_) {
      fail(kFailuresMax);
    } else if (!polls_) {
      if (waits_to_skip_ > 0) --waits_to_skip_;
      // Who slept has waited for its own waking, too, and perhaps for that of its peer.
      expects_soon_ = waits_to_skip_ == 0 && waited_us < std::max(std::uint64_t{4} * limit_us_, 2 * alone_us_);
    } else if (waited_us < (is_alone_ ? alone_us_ : limit_us_)) {
      if (failures_ > 0) --failures_;
    } else {
      // Whoever shares the core has kept it, and was let have it: once more would be as bad.
      fail(waited_us > kLostTheCore * limit_us_ ? kFailuresMax : 1);
    }
  }

 private:
  void fail(std::uint32_t times) {
    failures_ = std::min(failures_ + times, kFailuresMax);
    waits_to_skip_ = 1u << failures_;
    expects_soon_ = false;
  }

  static constexpr std::uint32_t kFailuresMax = 8;
  static constexpr std::uint64_t kLostTheCore = 10;
  // To ask and to offer the core to nobody takes less.
  static constexpr std::uint64_t kAwayUs = 5;

  std::uint32_t limit_us_;
  std::uint64_t alone_us_;
  std::uint64_t since_us_ = 0;
  std::uint64_t asked_us_ = 0;
  bool is_alone_ = false;       // nobody else has had the core in this wait, as far as that counts
  bool lost_the_core_ = false;  // and somebody kept it for long
  bool polls_ = false;  // in this wait
  bool expects_soon_ = false;
  std::uint32_t failures_ = 0;  // in a row
  std::uint32_t waits_to_skip_ = 0;
};

// The limit for this process: none where it has one core only, on which nothing can come in while it asks.
inline std::uint32_t busy_poll_us_here(std::uint32_t wanted_us) {
  cpu_set_t cores;
  const bool has_one = ::sched_getaffinity(0, sizeof(cores), &cores) == 0 && CPU_COUNT(&cores) == 1;
  return has_one ? 0 : wanted_us;
}

}  // namespace skua
