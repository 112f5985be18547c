// RealText: a real number in decimal, as the sqlite3 shell prints it: `%!.15g` of SQLite's own printf.
//
// It always has a decimal point, infinities are Inf and -Inf, and -0.0 is 0.0. SQLite 3.40 does not round as
// the C library does (about 4 of 1,000 numbers of extreme size differ in the last digit), so its algorithm is
// followed step by step: sqlite.org/src/file/src/printf.c, which is in the public domain. The same bytes need a
// `long double` of 64 bits precision, as on x86; elsewhere a last digit may differ. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace skua::cli {

class RealText {
 public:
  // As many digits as the sqlite3 shell prints in text, and in SQL and JSON.
  static constexpr int kTextDigits = 15;
  static constexpr int kSqlDigits = 20;

  explicit RealText(double value, int significant_digits = kTextDigits);

  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  void put(char byte) { bytes_[size_++] = byte; }
  void put_digits(long double value, int decimal_exponent, int digits_after_point);
  void put_exponent(int exponent);

  // The longest has a sign, "0.000", 20 digits or a point and an exponent.
  std::array<char, 48> bytes_;
  std::size_t size_ = 0;
};

}  // namespace skua::cli
