#include <criterion/criterion.h>

#include <string>
#include <vector>

#include "daemon/core/connection_pool.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/janitor.h"

namespace {

using skua::ConnectionPool;
using skua::FairQueue;
using skua::Janitor;
using skua::loop_thread;

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
