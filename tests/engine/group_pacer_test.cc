// GroupPacer: whom the writer waits for, for how long, and when it no longer does.
#include "daemon/engine/group_pacer.h"

#include <criterion/criterion.h>

using namespace skua;

namespace {

constexpr std::uint64_t kCommitUs = 300;

// How many of the next `groups` groups are waited for, if those to come never come in time.
int waits_in_vain(GroupPacer& pacer, int groups) {
  int waits = 0;
  for (int i = 0; i < groups; ++i) {
    if (pacer.plan().count > 1) {
      ++waits;
      pacer.on_waited(false);
    }
    pacer.on_group_done(4, 4, kCommitUs);
  }
  return waits;
}

}  // namespace

Test(group_pacer, does_not_wait_before_anything_was_written) { cr_assert_eq(GroupPacer().plan().count, 1u); }

Test(group_pacer, a_client_alone_is_never_kept_waiting) {
  GroupPacer pacer;
  for (int i = 0; i < 100; ++i) {
    pacer.on_group_done(1, 0, kCommitUs);
    cr_assert_eq(pacer.plan().count, 1u);
  }
}

Test(group_pacer, waits_for_those_it_answered_and_those_that_came_meanwhile_half_a_commit) {
  GroupPacer pacer;
  pacer.on_group_done(3, 5, kCommitUs);
  const GroupPacer::Plan plan = pacer.plan();
  cr_assert_eq(plan.count, 8u);
  cr_assert_eq(plan.wait.count(), static_cast<std::int64_t>(kCommitUs / 2));
}

Test(group_pacer, goes_on_waiting_while_they_come) {
  GroupPacer pacer;
  for (int i = 0; i < 100; ++i) {
    pacer.on_group_done(8, 0, kCommitUs);
    cr_assert_eq(pacer.plan().count, 8u);
    pacer.on_waited(true);
  }
}

Test(group_pacer, waits_ever_more_rarely_in_vain) {
  GroupPacer pacer;
  pacer.on_group_done(4, 4, kCommitUs);
  // The 1st, and then after 2, 4, 8, 16, 32 and 64 that are not waited for.
  cr_assert_eq(waits_in_vain(pacer, 1), 1);
  cr_assert_eq(waits_in_vain(pacer, 2), 0);
  cr_assert_eq(waits_in_vain(pacer, 1), 1);
  cr_assert_eq(waits_in_vain(pacer, 4), 0);
  cr_assert_leq(waits_in_vain(pacer, 1000), 19);
}

Test(group_pacer, forgets_what_was_in_vain_once_they_come_again) {
  GroupPacer pacer;
  pacer.on_group_done(4, 4, kCommitUs);
  waits_in_vain(pacer, 200);
  while (pacer.plan().count == 1) continue;
  pacer.on_waited(true);
  cr_assert_eq(waits_in_vain(pacer, 1), 1);
  cr_assert_eq(waits_in_vain(pacer, 3), 1);
}

Test(group_pacer, a_slow_disk_makes_no_long_waits) {
  GroupPacer pacer;
  for (int i = 0; i < 100; ++i) pacer.on_group_done(8, 0, 10'000'000);
  cr_assert_leq(pacer.plan().wait.count(), 1000);
}
