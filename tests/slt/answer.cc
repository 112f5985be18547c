#include "tests/slt/answer.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

namespace skua::slt {

namespace {

constexpr std::size_t kValuesShown = 12;

// The longest prefix that is an integer, as sqlite3_column_int64() has it.
std::int64_t integer_prefix(std::string_view text) {
  return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

// The longest prefix that is a decimal number: strtod() alone would also take "inf", "nan" and "0x10".
double real_prefix(std::string_view text) {
  const std::size_t end = text.find_first_not_of("+-.0123456789eE \t");
  return std::strtod(std::string(text.substr(0, end)).c_str(), nullptr);
}

std::int64_t to_integer(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return 0;
    case ValueKind::kInteger:
      return value.integer();
    case ValueKind::kReal:
      if (value.real() <= -0x1p63) return std::numeric_limits<std::int64_t>::min();
      if (value.real() >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
      return static_cast<std::int64_t>(value.real());
    case ValueKind::kText:
    case ValueKind::kBlob:
      return integer_prefix(value.bytes());
  }
  return 0;
}

double to_real(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return 0;
    case ValueKind::kInteger:
      return static_cast<double>(value.integer());
    case ValueKind::kReal:
      return value.real();
    case ValueKind::kText:
    case ValueKind::kBlob:
      return real_prefix(value.bytes());
  }
  return 0;
}

std::string format_real(const char* format, double value) {
  // The largest double has 309 digits before the point.
  std::array<char, 400> buffer;
  sqlite3_snprintf(static_cast<int>(buffer.size()), buffer.data(), format, value);
  return buffer.data();
}

std::string printable(std::string_view text) {
  // A C string ended the value for those who wrote the corpus.
  std::string out(text.substr(0, text.find('\0')));
  if (out.empty()) return "(empty)";
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '@');
  return out;
}

std::string shown(const std::vector<std::string>& values) {
  std::string out = fmt::format("{} values:", values.size());
  for (std::size_t i = 0; i < std::min(values.size(), kValuesShown); ++i)
    out += fmt::format(" [{}]", values[i]);
  if (values.size() > kValuesShown) out += " ...";
  return out;
}

void sort_rows(Answer& answer) {
  const std::size_t width = answer.column_count;
  if (width == 0) return;
  std::vector<std::size_t> rows(answer.values.size() / width);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto value = [&](std::size_t row) {
    return answer.values.begin() + static_cast<std::ptrdiff_t>(row * width);
  };
  std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    const auto length = static_cast<std::ptrdiff_t>(width);
    return std::lexicographical_compare(value(a), value(a) + length, value(b), value(b) + length);
  });
  std::vector<std::string> sorted;
  sorted.reserve(answer.values.size());
  for (const std::size_t row : rows) {
    for (std::size_t column = 0; column < width; ++column)
      sorted.push_back(std::move(answer.values[row * width + column]));
  }
  answer.values = std::move(sorted);
}

}  // namespace

std::string text_of(char type, const ValueView& value) {
  if (value.is_null()) return "NULL";
  switch (type) {
    case 'I':
      return fmt::format("{}", static_cast<std::int32_t>(to_integer(value)));
    case 'R':
      return format_real("%.3f", to_real(value));
    default:
      break;
  }
  switch (value.kind()) {
    case ValueKind::kInteger:
      return fmt::format("{}", value.integer());
    case ValueKind::kReal:
      return format_real("%!.15g", value.real());
    default:
      return printable(value.bytes());
  }
}

void sort_answer(SortMode mode, Answer& answer) {
  if (mode == SortMode::kRows) sort_rows(answer);
  if (mode == SortMode::kValues) std::sort(answer.values.begin(), answer.values.end());
}

std::string md5_of(const std::vector<std::string>& values) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  SKUA_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1);
  for (const std::string& value : values) {
    EVP_DigestUpdate(context.get(), value.data(), value.size());
    EVP_DigestUpdate(context.get(), "\n", 1);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  SKUA_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1);
  std::string out;
  for (unsigned int i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::optional<std::string> difference(const Record& expected, const Answer& got) {
  if (got.column_count != expected.types.size()) {
    return fmt::format("expected {} columns ({})\n  got      {} columns", expected.types.size(), expected.types,
                       got.column_count);
  }
  if (expected.hash) {
    const std::string md5 = md5_of(got.values);
    if (got.values.size() == expected.hash->count && md5 == expected.hash->md5) return std::nullopt;
    return fmt::format("expected {} values hashing to {}\n  got      {} hashing to {}", expected.hash->count,
                       expected.hash->md5, shown(got.values), md5);
  }
  if (got.values == expected.values) return std::nullopt;
  return fmt::format("expected {}\n  got      {}", shown(expected.values), shown(got.values));
}

}  // namespace skua::slt
