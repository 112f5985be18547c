// BusyPoll: whether who has nothing to do asks for events again and again for a moment, or sleeps until one comes.
//
// To be woken takes 30 to 60 us, and as much again for the core to get its caches back; a short read takes a few. So where
// the next event is most likely near, asking for it without a pause is several times as fast, and no dearer. It is taken to be
// near if the last one was. Where that turns out wrong the next tries are put off, twice as long each time, so that a peer whose
// events come in no regular way costs next to nothing; and for longer at once after somebody else has kept the core for long, for
// who polls gives it away.
//
// Who polls lets everybody else run in between, so the time counts that it had itself: of many who poll on one core each has its
// turn once in a while, and finds what it waits for. Were it to sleep instead, its peer would have to wake it, which takes the peer
// as long as an answer, so that the others find nothing in their turn and sleep as well. On a core that nobody else wants it may
// go on for longer.
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
      : limit_us_(limit_us),
        alone_us_(std::uint64_t{limit_us} * alone_times),
        loss_us_(std::max(kLossUs, std::uint64_t{limit_us})) {}

  // There is nothing to do but to wait, and perhaps to sleep in any case.
  void begin(std::uint64_t now_us, bool may_poll = true) {
    since_us_ = own_since_us_ = asked_us_ = now_us;
    is_alone_ = alone_us_ > limit_us_;
    asks_ = is_used_up_ = lost_the_core_ = false;
    polls_ = expects_soon_ && may_poll;
  }
  // Somebody else has work for the core after all: it sleeps, which says nothing about whether the event was near.
  void give_up() { polls_ = false; }
  // Asks once more instead of sleeping. Who calls this lets others have the core in between. That time counts only if it is the
  // peer's, who has the core as well: `is_beside_peer`.
  bool goes_on(std::uint64_t now_us, bool is_beside_peer = false) {
    const std::uint64_t away_us = now_us - std::exchange(asked_us_, now_us);
    if (away_us > kAwayUs) {
      is_alone_ = false;
      if (!is_beside_peer) own_since_us_ += away_us - kPollUs;
      if (asks_ && away_us >= loss_us_) {
        lost_the_core_ = true;
        give_up();
      }
    }
    const bool is_in_time = now_us - own_since_us_ < (is_alone_ ? alone_us_ : limit_us_);
    if (!is_in_time && alone_us_ > limit_us_ && !is_alone_) give_up();
    is_used_up_ = !is_in_time;
    return asks_ = polls_ && is_in_time;
  }
  // There is something to do.
  void end(std::uint64_t now_us) {
    if (lost_the_core_ || (asks_ && now_us - asked_us_ >= loss_us_)) {
      lost_the_core_ = true;
      fail(kFailuresOfLoss);
    } else if (!polls_) {
      if (waits_to_skip_ > 0) --waits_to_skip_;
      // Who slept has waited for its own waking, too, and perhaps for that of its peer.
      expects_soon_ = waits_to_skip_ == 0 && now_us - since_us_ < std::max(std::uint64_t{4} * limit_us_, 2 * alone_us_);
    } else if (!is_used_up_) {
      if (failures_ > 0) --failures_;
    } else {
      fail(1);
    }
  }
  // In the last wait.
  bool has_lost_the_core() const { return lost_the_core_; }

 private:
  void fail(std::uint32_t times) {
    failures_ = std::min(failures_ + times, kFailuresMax);
    waits_to_skip_ = 1u << failures_;
    expects_soon_ = false;
  }

  static constexpr std::uint32_t kFailuresMax = 8;
  // Somebody who computes keeps the core for longer, for a slice at least, and many who ask in turns for less. Once may be the
  // machine's own doing; twice in a row is not.
  static constexpr std::uint64_t kLossUs = 1'500;
  static constexpr std::uint32_t kFailuresOfLoss = 5;
  // To ask and to offer the core to nobody takes less.
  static constexpr std::uint64_t kAwayUs = 5;
  static constexpr std::uint64_t kPollUs = 2;

  std::uint32_t limit_us_;
  std::uint64_t alone_us_;
  std::uint64_t loss_us_;  // who waits for longer than that may be away for longer, too
  std::uint64_t since_us_ = 0;
  std::uint64_t own_since_us_ = 0;  // the same, but for the time that others had the core
  std::uint64_t asked_us_ = 0;
  bool polls_ = false;          // in this wait
  bool asks_ = false;           // the last goes_on() said so
  bool is_alone_ = false;       // nobody else has had the core in this wait, as far as that counts
  bool is_used_up_ = false;     // the time for asking
  bool lost_the_core_ = false;  // to somebody who kept it
  bool expects_soon_ = false;
  std::uint32_t failures_ = 0;  // in a row
  std::uint32_t waits_to_skip_ = 0;
};

// So many times as long a client does not sleep for an answer where nobody else wants the core.
inline constexpr std::uint32_t kClientAloneTimes = 12;

// The limit for this process: none where it has one core only, on which nothing can come in while it asks.
inline std::uint32_t busy_poll_us_here(std::uint32_t wanted_us) {
  cpu_set_t cores;
  const bool has_one = ::sched_getaffinity(0, sizeof(cores), &cores) == 0 && CPU_COUNT(&cores) == 1;
  return has_one ? 0 : wanted_us;
}

}  // namespace skua
