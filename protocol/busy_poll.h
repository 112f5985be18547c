// BusyPoll: whether who has nothing to do asks for events again and again for a moment, or sleeps until one comes.
//
// To be woken takes 30 to 60 us, and as much again for the core to get its caches back; a short read takes a few. So where
// the next event is most likely near, asking for it without a pause is several times as fast, and no dearer. It is taken to be
// near if the last one was. Where that turns out wrong the next tries are put off, twice as long each time, so that a peer whose
// events come in no regular way costs next to nothing; and at once for long after a wait that was so long that somebody else must
// have had the core, for who polls gives it away.
//
// Times are in microseconds of a monotonic clock. One thread. "Busy polling" as in socket(7), SO_BUSY_POLL.
#pragma once

#include <sched.h>

#include <algorithm>
#include <cstdint>

namespace skua {

class BusyPoll {
 public:
  // How long a wait may be for which nobody sleeps; 0: sleeps always.
  explicit BusyPoll(std::uint32_t limit_us) : limit_us_(limit_us) {}

  // There is nothing to do but to wait, and perhaps to sleep in any case.
  void begin(std::uint64_t now_us, bool may_poll = true) {
    since_us_ = now_us;
    polls_ = expects_soon_ && may_poll;
  }
  // Somebody else has work for the core after all: it sleeps, which says nothing about whether the event was near.
  void give_up() { polls_ = false; }
  // Asks once more instead of sleeping.
  bool goes_on(std::uint64_t now_us) const { return polls_ && now_us - since_us_ < limit_us_; }
  // There is something to do.
  void end(std::uint64_t now_us) {
    const std::uint64_t waited_us = now_us - since_us_;
    if (!polls_) {
      if (waits_to_skip_ > 0) --waits_to_skip_;
      // Who slept has waited for its own waking, too, and perhaps for that of its peer.
      expects_soon_ = waits_to_skip_ == 0 && waited_us < std::uint64_t{4} * limit_us_;
    } else if (waited_us < limit_us_) {
      if (failures_ > 0) --failures_;
    } else {
      // Whoever shares the core has kept it, and was let have it: once more would be as bad.
      const bool lost_the_core = waited_us > kLostTheCore * limit_us_;
      failures_ = lost_the_core ? kFailuresMax : std::min(failures_ + 1, kFailuresMax);
      waits_to_skip_ = 1u << failures_;
      expects_soon_ = false;
    }
  }

 private:
  static constexpr std::uint32_t kFailuresMax = 8;
  static constexpr std::uint64_t kLostTheCore = 10;

  std::uint32_t limit_us_;
  std::uint64_t since_us_ = 0;
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
