// Zipfian and ScrambledZipfian: what comes how often, and that nothing out of range comes.
#include "bench/workloads/key_distribution.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

using namespace skua::bench;

namespace {

constexpr std::uint64_t kDraws = 400'000;

template <class Distribution>
std::vector<std::uint64_t> counts_of(const Distribution& distribution, std::size_t keys) {
  std::mt19937_64 random(20'101);
  std::vector<std::uint64_t> counts(keys);
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const std::uint64_t key = distribution.draw(random);
    cr_assert_lt(key, keys);
    ++counts[key];
  }
  return counts;
}

double zeta_of(std::uint64_t count) {
  double sum = 0;
  for (std::uint64_t rank = 1; rank <= count; ++rank) sum += 1 / std::pow(static_cast<double>(rank), Zipfian::kTheta);
  return sum;
}

}  // namespace

Test(key_distribution, the_first_ranks_come_as_often_as_zipfs_law_says) {
  constexpr std::uint64_t kKeys = 1'000;
  const std::vector<std::uint64_t> counts = counts_of(Zipfian(kKeys), kKeys);
  const double zeta = zeta_of(kKeys);
  // The first two are exact; the rest is an approximation, which is good to a few percent for ranges of ranks.
  for (std::size_t rank = 0; rank < 2; ++rank) {
    const double expected = kDraws / std::pow(static_cast<double>(rank + 1), Zipfian::kTheta) / zeta;
    cr_assert_float_eq(static_cast<double>(counts[rank]), expected, 0.03 * expected, "rank %zu", rank);
  }
  double rest = 0;
  for (std::size_t rank = 100; rank < kKeys; ++rank) rest += static_cast<double>(counts[rank]);
  const double expected_rest = kDraws * (1 - zeta_of(100) / zeta);
  cr_assert_float_eq(rest, expected_rest, 0.05 * expected_rest);
}

Test(key_distribution, every_rank_can_come) {
  const std::vector<std::uint64_t> counts = counts_of(Zipfian(50), 50);
  for (std::size_t rank = 0; rank < counts.size(); ++rank) cr_assert_gt(counts[rank], 0, "rank %zu", rank);
}

Test(key_distribution, one_that_has_grown_is_like_one_that_was_made_so_large) {
  Zipfian grown(100);
  grown.grow(5'000);
  grown.grow(4'000);  // it never shrinks
  cr_assert_eq(grown.count(), 5'000);
  const Zipfian made(5'000);
  std::mt19937_64 random(1);
  std::mt19937_64 same_random(1);
  // The order in which zeta is summed up may move a draw by one.
  for (int i = 0; i < 10'000; ++i) {
    const auto one = static_cast<std::int64_t>(grown.draw(random));
    const auto other = static_cast<std::int64_t>(made.draw(same_random));
    cr_assert_leq(std::abs(one - other), 1);
  }
}

Test(key_distribution, scrambled_has_the_popular_keys_all_over_the_table) {
  constexpr std::uint64_t kKeys = 10'000;
  std::vector<std::uint64_t> counts = counts_of(ScrambledZipfian(kKeys), kKeys);
  // A rank of 10^10, of which the first has 1 / 26.47 of all draws, stands behind each.
  const auto most = std::max_element(counts.begin(), counts.end());
  cr_assert_float_eq(static_cast<double>(*most), kDraws / 26.469, 0.05 * kDraws / 26.469);
  std::vector<std::size_t> places;
  for (int i = 0; i < 20; ++i) {
    const auto place = std::max_element(counts.begin(), counts.end());
    places.push_back(static_cast<std::size_t>(place - counts.begin()));
    *place = 0;
  }
  const auto [low, high] = std::minmax_element(places.begin(), places.end());
  cr_assert_gt(*high - *low, kKeys / 2);
  cr_assert(!std::is_sorted(places.begin(), places.end()));
}

Test(key_distribution, shares_are_from_0_to_below_1) {
  std::mt19937_64 random(3);
  double sum = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double share = draw_share(random);
    cr_assert(share >= 0 && share < 1);
    sum += share;
  }
  cr_assert_float_eq(sum / kDraws, 0.5, 0.01);
}
