// BusyPoll.
#include "protocol/busy_poll.h"

#include <criterion/criterion.h>
#include <sched.h>

#include <cstdint>
#include <thread>

using namespace skua;

namespace {

constexpr std::uint32_t kLimitUs = 50;

std::uint64_t now_us = 1'000'000;

// One wait of that length, at a clock that goes on. True if it was not slept through, or not to its end.
bool wait(BusyPoll& poll, std::uint64_t length_us) {
  const std::uint64_t began_us = now_us;
  poll.begin(now_us);
  const bool polls = poll.goes_on(now_us);
  for (bool goes_on = polls; goes_on && now_us < began_us + length_us;) {
    goes_on = poll.goes_on(++now_us);
    cr_assert_eq(goes_on, now_us < began_us + kLimitUs, "it asks until the limit, and no longer");
  }
  now_us = began_us + length_us;
  poll.end(now_us);
  return polls;
}

// The core is away again and again, as where many poll on it. True if it polled until the end.
bool wait_in_turns(BusyPoll& poll, std::uint64_t times, std::uint64_t away_us, bool is_beside_peer = false) {
  poll.begin(now_us);
  bool polls = poll.goes_on(now_us, is_beside_peer);
  for (std::uint64_t i = 0; i < times && polls; ++i) polls = poll.goes_on(now_us += away_us, is_beside_peer);
  poll.end(now_us);
  return polls;
}

// Waits for events that come at once, until one of them is polled for; how many were not.
int waits_until_a_try(BusyPoll& poll) {
  int waits = 0;
  while (!wait(poll, 1)) ++waits;
  return waits;
}

}  // namespace

Test(busy_poll, sleeps_until_an_event_was_near) {
  BusyPoll poll(kLimitUs);
  cr_assert(!wait(poll, 10'000));
  cr_assert(!wait(poll, 4 * kLimitUs - 1), "the one before it was far");
  cr_assert(wait(poll, kLimitUs - 1), "who slept has waited for its waking, too, and perhaps for its peer's");
  cr_assert(wait(poll, kLimitUs - 1));
}

Test(busy_poll, sleeps_again_once_an_event_was_far) {
  BusyPoll poll(kLimitUs);
  wait(poll, 1);
  cr_assert(wait(poll, kLimitUs));
  cr_assert(!wait(poll, 1));
}

Test(busy_poll, never_asks_with_a_limit_of_0) {
  BusyPoll poll(0);
  for (int i = 0; i < 100; ++i) {
    poll.begin(7);
    cr_assert(!poll.goes_on(7));
    poll.end(7);
  }
}

// Of events that are near and far in turns, each near one promises what does not come.
Test(busy_poll, hardly_ever_asks_in_vain) {
  BusyPoll poll(kLimitUs);
  int in_vain = 0;
  for (int i = 0; i < 10'000; ++i) {
    wait(poll, 1);
    if (wait(poll, 1'000)) ++in_vain;
  }
  cr_assert_leq(in_vain, 10'000 / 64, "%d of 10,000 waits", in_vain);
  cr_assert_geq(in_vain, 10'000 / 512, "it goes on to try: %d of 10,000 waits", in_vain);
}

Test(busy_poll, trusts_again_with_each_success) {
  BusyPoll poll(kLimitUs);
  for (int i = 0; i < 2'000; ++i) wait(poll, i % 2 == 0 ? 1 : 4 * kLimitUs);
  int waits = waits_until_a_try(poll);
  cr_assert_leq(waits, 256);
  cr_assert_geq(waits, 64, "it was in vain a thousand times");
  for (int i = 0; i < 8; ++i) cr_assert(wait(poll, 1), "it goes on as long as it is right");
  wait(poll, 4 * kLimitUs);
  waits = waits_until_a_try(poll);
  cr_assert_leq(waits, 2, "the tries are not put off any more");
}

Test(busy_poll, puts_off_its_tries_for_long_where_others_want_the_core) {
  BusyPoll poll(kLimitUs);
  wait(poll, 1);
  cr_assert(!wait_in_turns(poll, 1, 2'000));
  cr_assert(poll.has_lost_the_core());
  int waits = waits_until_a_try(poll);
  cr_assert(waits >= 16 && waits < 64, "once may be by chance: %d", waits);
  cr_assert(!wait_in_turns(poll, 1, 2'000));
  waits = waits_until_a_try(poll);
  cr_assert_geq(waits, 200, "twice is not");
}

Test(busy_poll, sees_that_the_core_was_kept_until_the_event) {
  BusyPoll poll(kLimitUs);
  wait(poll, 1);
  poll.begin(now_us);
  cr_assert(poll.goes_on(now_us));
  poll.end(now_us += 2'000);
  cr_assert(poll.has_lost_the_core());
  poll.begin(now_us);
  cr_assert(!poll.goes_on(now_us));
  poll.end(now_us += 2'000);
  cr_assert(!poll.has_lost_the_core(), "it slept");
}

Test(busy_poll, may_be_away_for_as_long_as_it_would_wait) {
  BusyPoll poll(10'000);
  wait_in_turns(poll, 1, 1);
  for (int i = 0; i < 10; ++i) cr_assert(wait_in_turns(poll, 5, 4'000));
  cr_assert(!wait_in_turns(poll, 1, 10'000));
}

Test(busy_poll, counts_its_own_time_where_others_have_their_turns) {
  BusyPoll poll(kLimitUs);
  wait(poll, 1);
  for (int i = 0; i < 100; ++i) cr_assert(wait_in_turns(poll, 10, 140), "thirty others");
  cr_assert(!wait_in_turns(poll, 1'000, 6), "it is not to go on for ever");
}

Test(busy_poll, counts_the_time_that_the_peer_has_the_core) {
  BusyPoll poll(kLimitUs);
  wait(poll, 1);
  cr_assert(!wait_in_turns(poll, 10, 140, true));
}

Test(busy_poll, sleeps_where_it_must_not_poll) {
  BusyPoll poll(kLimitUs);
  poll.begin(1'000, false);
  poll.end(1'001);
  poll.begin(2'000, false);
  cr_assert(!poll.goes_on(2'000));
  poll.end(2'001);
  poll.begin(3'000);
  cr_assert(poll.goes_on(3'000), "the last one was near");
}

Test(busy_poll, asks_only_where_there_are_two_cores) {
  // A thread of its own, because the restriction stays with it.
  std::thread([] {
    cpu_set_t all;
    cr_assert_eq(::sched_getaffinity(0, sizeof(all), &all), 0);
    cr_assert_eq(busy_poll_us_here(kLimitUs), CPU_COUNT(&all) > 1 ? kLimitUs : 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core) {
      if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
    }
    cr_assert_eq(::sched_setaffinity(0, sizeof(one), &one), 0);
    cr_assert_eq(busy_poll_us_here(kLimitUs), 0u);
  }).join();
}

Test(busy_poll, a_wait_that_was_given_up_counts_as_one_that_was_slept_through) {
  BusyPoll poll(kLimitUs);
  wait(poll, 1);
  poll.begin(7'000);
  cr_assert(poll.goes_on(7'000));
  poll.give_up();
  cr_assert(!poll.goes_on(7'001));
  poll.end(17'000);
  cr_assert(!wait(poll, 1), "it was far");
  cr_assert(wait(poll, 1), "no tries are put off for it");
}

// ---- longer where nobody else wants the core

namespace {

constexpr std::uint32_t kAloneUs = 6 * kLimitUs;

// One wait of that length, in which the core is away for `away_us` once, early on. True if it polled until then.
bool wait_alone(BusyPoll& poll, std::uint64_t length_us, std::uint64_t away_us = 0) {
  const std::uint64_t begin_us = now_us;
  poll.begin(now_us);
  const bool polls = poll.goes_on(now_us);
  bool goes_on = polls;
  now_us += away_us;
  for (; goes_on && now_us < begin_us + length_us; now_us += 1) goes_on = poll.goes_on(now_us);
  now_us = begin_us + length_us;
  poll.end(now_us);
  return polls && goes_on;
}

}  // namespace

Test(busy_poll, asks_for_longer_where_nobody_wants_the_core) {
  BusyPoll poll(kLimitUs, 6);
  cr_assert(!wait_alone(poll, 2 * kAloneUs - 1));
  for (int i = 0; i < 100; ++i) cr_assert(wait_alone(poll, kAloneUs - 1));
  cr_assert(!wait_alone(poll, kAloneUs + 2));
  cr_assert(!wait_alone(poll, 1), "it was in vain");
}

Test(busy_poll, leaves_the_core_to_who_wants_it_and_tries_again) {
  BusyPoll poll(kLimitUs, 6);
  wait_alone(poll, 1);
  for (int i = 0; i < 100; ++i) {
    cr_assert(!wait_alone(poll, 100, 20), "somebody had the core meanwhile");
    cr_assert(wait_alone(poll, 100), "which says nothing about the next time");
  }
}

Test(busy_poll, does_not_try_for_long_where_somebody_kept_the_core) {
  BusyPoll poll(kLimitUs, 6);
  wait_alone(poll, 1);
  cr_assert(!wait_alone(poll, 3'000, 2'900));
  int waits = 0;
  while (!wait_alone(poll, 1)) ++waits;
  cr_assert_geq(waits, 16);
}
