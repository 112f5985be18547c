// CoreTurns.
#include "daemon/engine/core_turns.h"

#include <criterion/criterion.h>

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

Test(core_turns, are_short_where_nobody_or_many_want_the_core) {
  CoreTurns turns;
  cr_assert(turns.is_over(1'000'000), "the first offer is made at once");
  for (int i = 0; i < 10; ++i) cr_assert_eq(turn_after(turns, 0), 100u);
  for (int i = 0; i < 10; ++i) cr_assert_eq(turn_after(turns, 600), 100u);
}

Test(core_turns, are_long_where_somebody_keeps_it) {
  CoreTurns turns;
  std::uint64_t had = 0;
  for (int i = 0; i < 100; ++i) had += turn_after(turns, 4'000);
  cr_assert_geq(had, 100u * 4'000 * 5, "it has the core for most of the time: %lu us", static_cast<unsigned long>(had));
}

Test(core_turns, are_short_again_once_nobody_does) {
  CoreTurns turns;
  for (int i = 0; i < 10; ++i) turn_after(turns, 4'000);
  int offers = 0;
  while (turn_after(turns, 0) > 100) ++offers;
  cr_assert_leq(offers, 10);
}
