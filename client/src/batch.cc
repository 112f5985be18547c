#include "skua/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>

#include "client/src/batch_message.h"
#include "skua/row_conversion.h"

namespace skua {

namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

// How messages name the C++ types of Row::get().
template <class T>
constexpr std::string_view kTypeName = "";
template <>
constexpr std::string_view kTypeName<std::int64_t> = "a 64-bit integer";
template <>
constexpr std::string_view kTypeName<std::int32_t> = "a 32-bit integer";
template <>
constexpr std::string_view kTypeName<bool> = "a bool (0 or 1)";
template <>
constexpr std::string_view kTypeName<double> = "a real";
template <>
constexpr std::string_view kTypeName<std::string> = "text";
template <>
constexpr std::string_view kTypeName<std::string_view> = "text";
template <>
constexpr std::string_view kTypeName<Blob> = "a blob";
template <>
constexpr std::string_view kTypeName<Value> = "a value";

template <class T>
std::optional<T> convert(const ValueView& value) {
  const ValueKind kind = value.kind();
  if constexpr (std::is_same_v<T, Value>) {
    return value.to_value();
  } else if constexpr (std::is_same_v<T, double>) {
    if (kind == ValueKind::kInteger) return static_cast<double>(value.integer());
    if (kind == ValueKind::kReal) return value.real();
  } else if constexpr (std::is_integral_v<T>) {
    if (kind == ValueKind::kInteger && value.integer() >= std::int64_t{std::numeric_limits<T>::min()} &&
        value.integer() <= std::int64_t{std::numeric_limits<T>::max()}) {
      return static_cast<T>(value.integer());
    }
  } else if constexpr (std::is_same_v<T, Blob>) {
    if (kind == ValueKind::kBlob) return Blob{std::string(value.bytes())};
  } else {
    if (kind == ValueKind::kText) return T(value.bytes());
  }
  return std::nullopt;
}

template <class T>
struct Optional : std::false_type {
  using Inner = T;
};
template <class T>
struct Optional<std::optional<T>> : std::true_type {
  using Inner = T;
};

std::string shown(const ValueView& value) {
  if (value.kind() == ValueKind::kInteger) return fmt::format("the integer {}", value.integer());
  if (value.is_null()) return "NULL";
  return std::string(to_string(value.kind()));
}

}  // namespace

Batch::Batch(std::shared_ptr<const Message> message)
    : message_(std::move(message)), columns_(message_->rows().columns()), row_count_(message_->rows().row_count()) {}

Result<std::size_t> Columns::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (same_name((*this)[i].name, name)) return i;
  }
  return make_error(ErrorCode::kUsage, fmt::format("the result has no column \"{}\"", name));
}

Status check_column_count(const Row& row, std::size_t column_count) {
  if (row.size() == column_count) return {};
  return make_error(ErrorCode::kUsage, fmt::format("the row has {} columns, and is to become a value of {}", row.size(),
                                                   column_count));
}

Result<ValueView> Row::at(std::string_view name) const {
  SKUA_ASSIGN(const std::size_t column, columns_->index_of(name));
  return (*this)[column];
}

template <class T>
Result<T> Row::get(std::size_t column) const {
  using Inner = typename Optional<T>::Inner;
  if (column >= size()) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("the result has {} columns, there is no column {}", size(), column));
  }
  const ValueView value = (*this)[column];
  if constexpr (Optional<T>::value) {
    if (value.is_null()) return T();
  }
  if (std::optional<Inner> converted = convert<Inner>(value)) return T(std::move(*converted));
  return make_error(ErrorCode::kUsage, fmt::format("column {} (\"{}\") holds {}, not {}", column,
                                                   (*columns_)[column].name, shown(value), kTypeName<Inner>));
}

template Result<std::int64_t> Row::get(std::size_t) const;
template Result<std::int32_t> Row::get(std::size_t) const;
template Result<bool> Row::get(std::size_t) const;
template Result<double> Row::get(std::size_t) const;
template Result<std::string> Row::get(std::size_t) const;
template Result<std::string_view> Row::get(std::size_t) const;
template Result<Blob> Row::get(std::size_t) const;
template Result<Value> Row::get(std::size_t) const;
template Result<std::optional<std::int64_t>> Row::get(std::size_t) const;
template Result<std::optional<std::int32_t>> Row::get(std::size_t) const;
template Result<std::optional<bool>> Row::get(std::size_t) const;
template Result<std::optional<double>> Row::get(std::size_t) const;
template Result<std::optional<std::string>> Row::get(std::size_t) const;
template Result<std::optional<std::string_view>> Row::get(std::size_t) const;
template Result<std::optional<Blob>> Row::get(std::size_t) const;
template Result<std::optional<Value>> Row::get(std::size_t) const;

}  // namespace skua
