// Axis: where ticks are and what they say. svg_of: what is in the picture.
#include "bench/plot.h"

#include <criterion/criterion.h>

#include <fmt/format.h>

using namespace skua::bench;

namespace {

std::string ticks_of(const Axis& axis) {
  std::string out;
  for (const Tick& tick : axis.ticks) out += fmt::format("{}{}", out.empty() ? "" : " ", tick.label);
  return out;
}

std::string linear_ticks(double max) { return ticks_of(linear_axis("", max, short_number)); }
std::string logarithmic_ticks(double min, double max) { return ticks_of(logarithmic_axis("", min, max, short_number)); }

}  // namespace

Test(plot, linear_ticks_are_round_and_go_beyond_the_largest_value) {
  cr_assert(linear_ticks(100) == "0 20 40 60 80 100");
  cr_assert(linear_ticks(101) == "0 50 100 150");
  cr_assert(linear_ticks(43'210) == "0 10k 20k 30k 40k 50k");
  cr_assert(linear_ticks(0.9) == "0 0.2 0.4 0.6 0.8 1");
  cr_assert(linear_ticks(0) == "0 0.2 0.4 0.6 0.8 1");
}

Test(plot, logarithmic_ticks_are_finer_where_there_is_room) {
  cr_assert(logarithmic_ticks(30, 900) == "20 50 100 200 500 1k");
  cr_assert(logarithmic_ticks(1, 10'000) == "1 3 10 30 100 300 1k 3k 10k");
  cr_assert(logarithmic_ticks(3, 4e6) == "1 10 100 1k 10k 100k 1M 10M");
  cr_assert(logarithmic_ticks(100, 100) == "100 200");
}

Test(plot, values_have_their_place_between_the_ends_of_an_axis) {
  const Axis linear = linear_axis("", 100, short_number);
  cr_assert_float_eq(linear.place(0), 0, 1e-9);
  cr_assert_float_eq(linear.place(25), 0.25, 1e-9);
  const Axis logarithmic = logarithmic_axis("", 1, 10'000, short_number);
  cr_assert_float_eq(logarithmic.place(1), 0, 1e-9);
  cr_assert_float_eq(logarithmic.place(100), 0.5, 1e-9);
  cr_assert_float_eq(logarithmic.place(10'000), 1, 1e-9);
  cr_assert_float_eq(logarithmic.place(0), 0, 1e-9);
}

Test(plot, values_that_lie_far_apart_get_a_logarithmic_axis) {
  cr_assert(axis_for("", 1'000, 100'000, short_number).logarithmic);
  cr_assert_not(axis_for("", 1'000, 3'000, short_number).logarithmic);
  cr_assert_not(axis_for("", 0, 3'000, short_number).logarithmic);
}

Test(plot, numbers_are_short) {
  cr_assert(short_number(0) == "0");
  cr_assert(short_number(950) == "950");
  cr_assert(short_number(999'960) == "1M");
  cr_assert(short_number(12'500) == "12.5k");
  cr_assert(short_number(2e9) == "2G");
}

Test(plot, a_whisker_is_drawn_where_there_is_a_spread) {
  Plot plot{"a <title>", linear_axis("x", 10, short_number), linear_axis("y", 10, short_number), {}};
  plot.series.push_back({0, 0, true, {{1, 2, 2, 2, "", "one"}, {3, 4, 3, 5, "label", "two & more"}}});
  const std::string svg = svg_of(plot);
  const auto count = [&svg](std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = svg.find(what); at != std::string::npos; at = svg.find(what, at + 1)) ++found;
    return found;
  };
  cr_assert_eq(count("class=\"whisker"), 1);
  cr_assert_eq(count("class=\"mark"), 2);
  cr_assert_eq(count("class=\"line"), 1);
  cr_assert_eq(count("a &lt;title&gt;"), 2);
  cr_assert_eq(count("<title>two &amp; more</title>"), 1);
}
