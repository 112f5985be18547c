#include <criterion/criterion.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/connection_pool.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/janitor.h"
#include "daemon/core/thread_shares.h"
#include "tests/support/random.h"

namespace {

using skua::ConnectionPool;
using skua::FairQueue;
using skua::Janitor;
using skua::loop_thread;
using skua::ThreadShares;
using skua::test::Random;

constexpr std::uint64_t kQuantumUs = FairQueue<int>::kQuantumUs;
constexpr std::uint64_t kRoundsMax = FairQueue<int>::kRoundsMax;

// An item that knows whose it is and which one of his.
struct Item {
  std::uint64_t session = 0;
  int number = 0;
  bool operator==(const Item&) const = default;
};

// A lane that runs one item after the other: `sessions` queue without end, session i's items take what cost(i) says.
// Returns how long it worked for each.
template <class Cost>
std::map<std::uint64_t, std::uint64_t> share_lane(std::uint64_t sessions, int items, const Cost& cost) {
  FairQueue<std::uint64_t> queue;
  std::map<std::uint64_t, std::uint64_t> used_us;
  for (std::uint64_t session = 1; session <= sessions; ++session) queue.push(session, session);
  for (int i = 0; i < items; ++i) {
    const std::uint64_t session = *queue.pop();
    queue.push(session, session);
    const std::uint64_t cost_us = cost(session);
    queue.charge(session, cost_us);
    used_us[session] += cost_us;
  }
  return used_us;
}

}  // namespace

Test(fair_queue, sessions_take_turns_whatever_they_queued) {
  FairQueue<int> queue;
  for (int i = 0; i < 1000; ++i) queue.push(1, i);
  queue.push(2, -1);
  cr_expect(*queue.pop() == 0);
  cr_expect(*queue.pop() == -1, "the second session waits for one item, not for a thousand");
  cr_expect(*queue.pop() == 1);
}

Test(fair_queue, is_first_in_first_out_within_a_session_and_counts) {
  FairQueue<int> queue;
  queue.push(7, 1);
  queue.push(7, 2);
  cr_expect(queue.size() == 2);
  cr_expect(*queue.pop() == 1);
  cr_expect(*queue.pop() == 2);
  cr_expect(queue.empty());
  cr_expect(not queue.pop().has_value());
}

Test(fair_queue, gives_back_what_was_taken_out_in_its_order) {
  FairQueue<int> queue;
  for (const int item : {10, 11, 12, 13, 20}) queue.push(static_cast<std::uint64_t>(item / 10), item);
  const std::vector<int> taken = queue.take_if([](int item) { return item == 10 || item == 12; });
  cr_expect(taken == (std::vector<int>{10, 12}));
  cr_expect(queue.size() == 3 && queue.next() == 11);
  for (auto item = taken.rbegin(); item != taken.rend(); ++item) queue.push_front(1, *item);
  std::vector<int> popped;
  while (!queue.empty()) popped.push_back(*queue.pop());
  cr_expect(popped == (std::vector<int>{10, 20, 12, 11, 13}));
  cr_expect(queue.take_if([](int) { return true; }).empty());
}

Test(fair_queue, shows_its_items_in_the_order_of_their_turns) {
  FairQueue<int> queue;
  for (const int item : {10, 11, 12, 20, 30, 31}) queue.push(static_cast<std::uint64_t>(item / 10), item);
  cr_expect(*queue.pop() == 10, "so that the turn is the second session's");
  std::vector<int> shown;
  queue.visit([&](int item) {
    shown.push_back(item);
    return true;
  });
  std::vector<int> few;
  queue.visit([&](int item) {
    few.push_back(item);
    return few.size() < 2;
  });
  std::vector<int> popped;
  while (!queue.empty()) popped.push_back(*queue.pop());
  cr_expect(popped == (std::vector<int>{20, 30, 11, 31, 12}));
  cr_expect(shown == popped);
  cr_expect(few == (std::vector<int>{20, 30}));
}

Test(fair_queue, a_session_whose_items_take_long_has_its_share_of_the_time_and_no_more) {
  const auto used_us = share_lane(2, 10'000, [](std::uint64_t session) { return session == 1 ? 5'000 : kQuantumUs; });
  const double ratio = static_cast<double>(used_us.at(1)) / static_cast<double>(used_us.at(2));
  cr_expect(ratio > 0.95 && ratio < 1.05, "5 ms and 200 us: the lane worked %f times as long", ratio);
}

Test(fair_queue, what_is_shorter_than_a_turn_counts_as_one) {
  const auto used_us = share_lane(2, 10'000, [](std::uint64_t session) { return session == 1 ? kQuantumUs / 10 : kQuantumUs; });
  cr_expect(used_us.at(1) * 10 == used_us.at(2), "each had every other turn");
}

Test(fair_queue, what_is_left_of_a_charge_is_kept_for_the_next) {
  const auto used_us = share_lane(2, 30'000, [](std::uint64_t session) { return session == 1 ? kQuantumUs * 3 / 2 : kQuantumUs; });
  const double ratio = static_cast<double>(used_us.at(1)) / static_cast<double>(used_us.at(2));
  cr_expect(ratio > 0.95 && ratio < 1.05, "a turn and a half, and one: %f", ratio);
}

Test(fair_queue, the_time_of_sessions_differs_by_no_more_than_their_longest_items) {
  Random random;
  for (int round = 0; round < 20; ++round) {
    const auto sessions = static_cast<std::uint64_t>(random.between(2, 30));
    std::vector<std::int64_t> longest_us(sessions + 1);
    for (auto& us : longest_us) us = random.between(static_cast<std::int64_t>(kQuantumUs), 40'000);
    const auto used_us = share_lane(sessions, 20'000, [&](std::uint64_t session) {
      return static_cast<std::uint64_t>(random.between(static_cast<std::int64_t>(kQuantumUs), longest_us[session]));
    });
    const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto [least, most] = std::minmax_element(used_us.begin(), used_us.end(), less);
    const std::int64_t bound_us = 2 * *std::max_element(longest_us.begin(), longest_us.end());
    cr_assert(used_us.size() == sessions, "all had a turn");
    cr_assert(static_cast<std::int64_t>(most->second - least->second) <= bound_us, "seed %lu: %lu us and %lu us",
              static_cast<unsigned long>(random.seed()), static_cast<unsigned long>(least->second),
              static_cast<unsigned long>(most->second));
  }
}

Test(fair_queue, nobody_waits_for_more_than_the_most_rounds_whatever_he_owes) {
  FairQueue<int> queue;
  queue.push(1, 1);
  queue.push(1, 1);
  queue.push(2, 2);
  cr_expect(*queue.pop() == 1);
  for (int i = 0; i < 3; ++i) queue.charge(1, 3'600'000'000);
  std::uint64_t turns = 0;
  while (*queue.pop() == 2) {
    ++turns;
    queue.push(2, 2);
  }
  cr_expect(turns == kRoundsMax, "%lu", static_cast<unsigned long>(turns));
}

Test(fair_queue, sessions_that_keep_coming_starve_nobody) {
  FairQueue<int> queue;
  queue.push(1, 1);
  queue.push(1, 1);
  cr_expect(*queue.pop() == 1);
  for (int stranger = 100; stranger < 200; stranger += 2) {
    queue.push(static_cast<std::uint64_t>(stranger), stranger);
    queue.push(static_cast<std::uint64_t>(stranger) + 1, stranger);
    if (*queue.pop() == 1) return;
  }
  cr_assert_fail("session 1 has had no second turn");
}

Test(fair_queue, forgets_debts_when_nobody_waits) {
  FairQueue<int> queue;
  queue.charge(1, 1'000'000);
  cr_expect(queue.session_count() == 0, "nobody was there to be harmed");
  queue.push(1, 1);
  queue.push(2, 2);
  queue.charge(1, 1'000'000);
  cr_expect(*queue.pop() == 2);
  cr_expect(*queue.pop() == 1);
  cr_expect(queue.session_count() == 0);
  for (int i = 0; i < 3; ++i) queue.push(1, 1);
  queue.push(2, 2);
  cr_expect(*queue.pop() == 1);
  cr_expect(*queue.pop() == 2);
}

Test(fair_queue, who_may_not_go_keeps_his_place) {
  FairQueue<int> queue;
  for (const int item : {10, 11, 20, 21, 30, 31}) queue.push(static_cast<std::uint64_t>(item / 10), item);
  const auto only = [](std::uint64_t id) { return [id](std::uint64_t session_id) { return session_id == id; }; };
  cr_expect(!queue.pop(only(4)).has_value() && queue.next(only(4)) == nullptr);
  cr_expect(*queue.pop(only(3)) == 30);
  cr_expect(*queue.pop(only(3)) == 31, "whatever round it is, if the others may not go");
  std::vector<int> popped;
  while (!queue.empty()) popped.push_back(*queue.pop());
  cr_expect(popped == (std::vector<int>{10, 20, 11, 21}));
}

Test(fair_queue, random_use_shows_what_it_pops_and_loses_nothing) {
  Random random;
  FairQueue<Item> queue;
  std::map<std::uint64_t, int> pushed;
  std::map<std::uint64_t, int> popped;
  std::size_t size = 0;
  const auto take = [&](const Item& item) {
    cr_assert(item.number > popped[item.session], "first in, first out; seed %lu", static_cast<unsigned long>(random.seed()));
    popped[item.session] = item.number;
    --size;
  };
  for (int step = 0; step < 100'000; ++step) {
    const auto session = static_cast<std::uint64_t>(random.between(1, 12));
    switch (random.between(0, 9)) {
      case 0:
      case 1:
      case 2:
      case 3:
        queue.push(session, {session, ++pushed[session]});
        ++size;
        break;
      case 4: queue.charge(session, static_cast<std::uint64_t>(random.between(0, 100'000))); break;
      case 5: {
        const auto item = queue.pop([&](std::uint64_t id) { return id % 3 == session % 3; });
        if (item) take(*item);
        break;
      }
      case 6: {
        if (!random.one_in(20)) break;
        queue.erase_if([&](const Item& item) { return item.session == session; });
        popped[session] = pushed[session];
        size = queue.size();
        break;
      }
      case 7: {
        if (!random.one_in(20)) break;
        const std::vector<Item> taken = queue.take_if([&](const Item& item) { return item.session == session; });
        cr_assert(queue.size() == size - taken.size());
        for (auto item = taken.rbegin(); item != taken.rend(); ++item) queue.push_front(session, *item);
        break;
      }
      default: {
        std::vector<Item> shown;
        queue.visit([&](const Item& item) {
          shown.push_back(item);
          return true;
        });
        cr_assert(shown.size() == size && queue.size() == size);
        if (shown.empty()) break;
        cr_assert(shown.front() == queue.next());
        const auto count = static_cast<std::size_t>(random.between(1, 3));
        for (std::size_t i = 0; i < std::min(count, shown.size()); ++i) {
          const Item item = *queue.pop();
          cr_assert(item == shown[i], "seed %lu", static_cast<unsigned long>(random.seed()));
          take(item);
        }
      }
    }
  }
  while (!queue.empty()) take(*queue.pop());
  cr_expect(size == 0 && pushed == popped);
  cr_expect(queue.session_count() == 0);
}

Test(thread_shares, a_session_alone_gets_half_of_the_threads) {
  ThreadShares threads(8);
  for (int i = 0; i < 4; ++i) {
    cr_expect(threads.may_take(1));
    threads.take(1);
  }
  cr_expect(!threads.may_take(1));
  threads.give_back(1);
  cr_expect(threads.may_take(1));
}

Test(thread_shares, who_has_none_gets_any_thread_that_is_free) {
  ThreadShares one(1);
  cr_expect(one.may_take(1), "the only one");
  one.take(1);
  cr_expect(!one.may_take(2));
  one.give_back(1);
  ThreadShares threads(8);
  for (std::uint64_t session = 1; session <= 8; ++session) {
    cr_expect(threads.may_take(session));
    threads.take(session);
  }
  cr_expect(!threads.has_free() && !threads.may_take(9));
}

Test(thread_shares, leave_a_thread_for_who_comes_next_however_greedy_the_sessions_are) {
  for (std::uint32_t count = 2; count <= 64; ++count) {
    ThreadShares threads(count);
    // Each of a few, one after the other, takes what it can get.
    for (std::uint64_t session = 1; (1U << session) <= count; ++session) {
      cr_assert(threads.may_take(session), "session %lu of %u threads", static_cast<unsigned long>(session), count);
      while (threads.may_take(session)) threads.take(session);
    }
  }
}

Test(janitor, timers_fire_in_order_and_once) {
  loop_thread.adopt();
  Janitor janitor;
  std::vector<int> fired;
  janitor.add(20, [&] { fired.push_back(20); });
  janitor.add(10, [&] { fired.push_back(10); });
  cr_expect(*janitor.next_us() == 10);
  janitor.run(9);
  cr_expect(fired.empty());
  janitor.run(30);
  janitor.run(30);
  cr_expect(fired == (std::vector<int>{10, 20}));
  cr_expect(not janitor.next_us().has_value());
}

Test(janitor, an_action_may_cancel_and_add_timers) {
  loop_thread.adopt();
  Janitor janitor;
  std::vector<int> fired;
  const Janitor::TimerId later = janitor.add(11, [&] { fired.push_back(11); });
  janitor.add(10, [&] {
    loop_thread.assert_here();
    janitor.cancel(later);
    janitor.add(10, [&] { fired.push_back(12); });
  });
  janitor.run(15);
  cr_expect(fired == (std::vector<int>{12}));
  janitor.cancel(later);
  janitor.cancel(0);
}

Test(connection_pool, leases_up_to_its_size_and_the_warmest_first) {
  loop_thread.adopt();
  ConnectionPool pool(2);
  const auto first = *pool.lease();
  const auto second = *pool.lease();
  cr_expect(first != second);
  cr_expect(not pool.lease().has_value());
  cr_expect(pool.leased() == 2);
  pool.release(first);
  pool.release(second);
  cr_expect(pool.leased() == 0);
  cr_expect(*pool.lease() == second);
}
