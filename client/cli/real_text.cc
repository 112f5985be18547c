#include "client/cli/real_text.h"

#include <cmath>

#include "protocol/result.h"

namespace skua::cli {

namespace {

// SQLite writes no more digits than this and fills up with zeros.
constexpr int kDigitsMax = 26;

struct Decimal {
  long double significand = 0;  // 1 <= significand < 10, or 0
  int exponent = 0;
};

// The constants are doubles in SQLite and stay doubles: their rounding is part of the result.
Decimal to_decimal(long double value) {
  Decimal decimal{value, 0};
  if (value == 0) return decimal;
  long double scale = 1.0;
  for (; value >= 1e100 * scale; scale *= 1e100) decimal.exponent += 100;
  for (; value >= 1e10 * scale; scale *= 1e10) decimal.exponent += 10;
  for (; value >= 10.0 * scale; scale *= 10.0) ++decimal.exponent;
  decimal.significand = value / scale;
  for (; decimal.significand < 1e-8; decimal.significand *= 1e8) decimal.exponent -= 8;
  for (; decimal.significand < 1.0; decimal.significand *= 10.0) --decimal.exponent;
  return decimal;
}

// Half a unit of the last digit to be printed.
long double rounder_of(int digits_after_first) {
  constexpr std::array<double, 10> kRounders = {5.0e-01, 5.0e-02, 5.0e-03, 5.0e-04, 5.0e-05,
                                                5.0e-06, 5.0e-07, 5.0e-08, 5.0e-09, 5.0e-10};
  long double rounder = kRounders[static_cast<std::size_t>(digits_after_first % 10)];
  for (int rest = digits_after_first; rest >= 10; rest -= 10) rounder *= 1.0e-10;
  return rounder;
}

}  // namespace

RealText::RealText(double value, int significant_digits) {
  SKUA_CHECK(significant_digits >= 1 && significant_digits <= kSqlDigits);
  if (std::isnan(value)) {
    for (const char byte : std::string_view("NaN")) put(byte);
    return;
  }
  if (value < 0) put('-');
  if (std::isinf(value)) {
    for (const char byte : std::string_view("Inf")) put(byte);
    return;
  }
  Decimal decimal = to_decimal(std::fabs(static_cast<long double>(value)));
  int digits_after = significant_digits - 1;
  decimal.significand += rounder_of(digits_after);
  if (decimal.significand >= 10.0) {
    decimal.significand *= 0.1;
    ++decimal.exponent;
  }
  const bool with_exponent = decimal.exponent < -4 || decimal.exponent > digits_after;
  if (with_exponent) {
    put_digits(decimal.significand, 0, digits_after);
    put_exponent(decimal.exponent);
  } else {
    put_digits(decimal.significand, decimal.exponent, digits_after - decimal.exponent);
  }
}

void RealText::put_digits(long double value, int decimal_exponent, int digits_after_point) {
  int digits_left = kDigitsMax;
  const auto put_digit = [&] {
    if (digits_left == 0) return put('0');
    --digits_left;
    const int digit = static_cast<int>(value);
    value = (value - digit) * 10.0;
    put(static_cast<char>('0' + digit));
  };
  if (decimal_exponent < 0) {
    put('0');
  } else {
    for (int i = 0; i <= decimal_exponent; ++i) put_digit();
  }
  put('.');
  for (int i = decimal_exponent + 1; i < 0; ++i, --digits_after_point) put('0');
  for (; digits_after_point > 0; --digits_after_point) put_digit();
  while (bytes_[size_ - 1] == '0') --size_;
  if (bytes_[size_ - 1] == '.') put('0');
}

void RealText::put_exponent(int exponent) {
  put('e');
  put(exponent < 0 ? '-' : '+');
  const int magnitude = std::abs(exponent);
  if (magnitude >= 100) put(static_cast<char>('0' + magnitude / 100));
  put(static_cast<char>('0' + magnitude / 10 % 10));
  put(static_cast<char>('0' + magnitude % 10));
}

}  // namespace skua::cli
