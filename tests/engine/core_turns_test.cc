// CoreTurns.
#include "daemon/engine/core_turns.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cstdint>

using namespace skua;

namespace {

// How long the turn is that follows an offer after which the thread had its core back so much later.
std::uint64_t turn_after(CoreTurns& turns, std::uint64_t away_us) {
  static std::uint64_t now_us = 1'000'000;
  turns.on_offered(now_us, now_us + away_us);
  const std::uint64_t back_us = now_us += away_us;
  while (!turns.is_over(now_us)) ++now_us;
  return now_us - back_us;
}

}  // namespace

Test(core_turns, are_short_where_nobody_wants_the_core) {
  CoreTurns turns;
  cr_assert(turns.is_over(1'000'000), "the first offer is made at once");
  for (int i = 0; i < 10; ++i) cr_assert_eq(turn_after(turns, 0), 100u);
}

Test(core_turns, are_as_long_as_the_others_were) {
  CoreTurns turns;
  for (const std::uint64_t away_us : {600, 4'000, 10, 20'000}) {
    cr_assert_eq(turn_after(turns, away_us), std::max<std::uint64_t>(away_us, 100));
  }
}

Test(core_turns, end_where_the_machine_stood_still) {
  CoreTurns turns;
  cr_assert_leq(turn_after(turns, 10'000'000), 50'000u);
}
