// FlatQueue.
#include "protocol/flat_queue.h"

#include <criterion/criterion.h>

#include <deque>
#include <memory>

#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

Test(flat_queue, lets_go_of_what_is_taken_out) {
  FlatQueue<std::shared_ptr<int>> queue;
  auto item = std::make_shared<int>(7);
  queue.push_back(item);
  queue.push_back(nullptr);
  cr_assert_eq(*queue.front(), 7);
  queue.pop_front();
  cr_assert_eq(item.use_count(), 1);
  cr_assert_eq(queue.size(), 1u);
  queue.clear();
  cr_assert(queue.empty());
}

Test(flat_queue, does_what_a_deque_does) {
  Random random;
  FlatQueue<int> queue;
  std::deque<int> model;
  for (int step = 0; step < 20'000; ++step) {
    // Grows and shrinks in turns, and hardly ever runs empty.
    const bool grows = step / 1'000 % 2 == 0;
    if (model.empty() || random.between(1, 10) <= (grows ? 6 : 4)) {
      queue.push_back(step);
      model.push_back(step);
    } else {
      cr_assert_eq(queue.front(), model.front());
      queue.pop_front();
      model.pop_front();
    }
    cr_assert_eq(queue.size(), model.size());
    cr_assert_eq(queue.empty(), model.empty());
    if (!model.empty()) cr_assert_eq(queue.back(), model.back());
  }
  cr_assert(std::equal(queue.begin(), queue.end(), model.begin(), model.end()));
}
