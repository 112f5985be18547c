// Reals as the sqlite3 shell prints them: compared with SQLite's own printf.
#include "client/cli/real_text.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "tests/support/random.h"

using namespace skua::cli;

namespace {

std::string sqlite_text(double value, int digits) {
  char text[80];
  sqlite3_snprintf(sizeof(text), text, "%!.*g", digits, value);
  return text;
}

void expect_same(double value) {
  for (const int digits : {RealText::kTextDigits, RealText::kSqlDigits}) {
    const RealText text(value, digits);
    const std::string expected = sqlite_text(value, digits);
    cr_assert(text.view() == expected, "%s, SQLite prints %s", std::string(text.view()).c_str(),
              expected.c_str());
  }
}

double any_double(skua::test::Random& random) {
  const std::uint64_t bits = random.word();
  double value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return std::isnan(value) ? 0 : value;
}

}  // namespace

Test(real_text, prints_chosen_values) {
  const struct {
    double value;
    const char* text;
  } cases[] = {
      {0.1, "0.1"},
      {1.0, "1.0"},
      {-0.0, "0.0"},
      {1e15, "1.0e+15"},
      {123456789012345678.0, "1.23456789012346e+17"},
      {1e-5, "1.0e-05"},
      {0.0001, "0.0001"},
      {1e100, "1.0e+100"},
      {1e308, "1.0e+308"},
      {2.5e-320, "2.49997216795671e-320"},
      {1.0 / 3, "0.333333333333333"},
      {-2.0 / 3, "-0.666666666666667"},
      {999999999999999.0, "999999999999999.0"},
      {999999999999999.9, "1.0e+15"},
      {std::numeric_limits<double>::infinity(), "Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
  };
  for (const auto& one : cases) {
    const RealText text(one.value);
    cr_assert(text.view() == one.text, "%s, expected %s", std::string(text.view()).c_str(), one.text);
  }
}

Test(real_text, is_what_sqlite_prints) {
  skua::test::Random random;
  for (int i = 0; i < 100'000; ++i) expect_same(any_double(random));
  for (int i = 0; i < 100'000; ++i) {
    // Prices, and fractions of them.
    const auto cents = static_cast<double>(random.between(0, 2'000'000'000'000));
    expect_same(cents / 100);
    expect_same(-cents / 7);
  }
}

Test(real_text, is_what_sqlite_prints_at_the_edges) {
  for (const double value : {std::numeric_limits<double>::max(), std::numeric_limits<double>::min(),
                             std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::lowest(),
                             std::numeric_limits<double>::epsilon(), 9.999999999999995, 9.9999999999999995}) {
    expect_same(value);
  }
  for (int exponent = -323; exponent <= 308; ++exponent) {
    expect_same(std::pow(10.0, exponent));
    expect_same(std::nextafter(std::pow(10.0, exponent), 0));
  }
}
