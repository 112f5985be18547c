// Parameters of one execution, positional or named, and ParameterRows for many.
//
// Values are copied in. One thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/value.h"

namespace skua {

// What a C++ value becomes in SQLite. Integers of up to 64 bits, bool, floating point, text, Blob, nullptr,
// optional.
inline Value to_value(std::nullptr_t) { return Null{}; }
inline Value to_value(Null) { return Null{}; }
inline Value to_value(Value value) { return value; }
inline Value to_value(Blob blob) { return blob; }
inline Value to_value(std::string text) { return text; }
inline Value to_value(std::string_view text) { return std::string(text); }
inline Value to_value(const char* text) { return std::string(text); }
template <std::integral T>
Value to_value(T value) {
  return static_cast<std::int64_t>(value);
}
template <std::floating_point T>
Value to_value(T value) {
  return static_cast<double>(value);
}
template <class T>
Value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : Value(Null{});
}

// Parameters::of(1, "two", 3.0) or Parameters().set("id", 1).set("name", "two"). Either all named or none.
class Parameters {
 public:
  Parameters() = default;

  // Positional ones, in order.
  template <class... T>
  static Parameters of(T&&... values) {
    Parameters parameters;
    (parameters.add(std::forward<T>(values)), ...);
    return parameters;
  }

  // The next positional parameter.
  template <class T>
  Parameters& add(T&& value) {
    entries_.push_back({std::string(), to_value(std::forward<T>(value))});
    return *this;
  }
  // The parameter :name, @name or $name; the prefix may be given or left out.
  template <class T>
  Parameters& set(std::string_view name, T&& value) {
    entries_.push_back({std::string(name), to_value(std::forward<T>(value))});
    return *this;
  }

  // One of them.
  struct Entry {
    std::string name;  // empty: positional
    Value value;
  };
  // In the order in which they came.
  const std::vector<Entry>& entries() const { return entries_; }
  // Forgets the values, keeps the memory.
  void clear() { entries_.clear(); }
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<Entry> entries_;
};

// Rows of parameters for execute_many: append() each value of a row in order, then end_row().
class ParameterRows {
 public:
  explicit ParameterRows(std::size_t column_count, std::vector<std::string> names = {});
  ParameterRows(ParameterRows&&) noexcept;
  ParameterRows& operator=(ParameterRows&&) noexcept;
  ~ParameterRows();

  // Copies the value's bytes. Appending more values than there are columns is a defect of the caller and
  // aborts.
  void append(const ValueView& value);
  // The row must be complete; anything else is a defect of the caller and aborts.
  void end_row();
  // Forgets the rows, keeps the memory.
  void clear();

  std::size_t row_count() const;
  std::size_t column_count() const;
  // About the size on the wire.
  std::size_t byte_count() const;
  // Of the columns; empty if they are positional.
  const std::vector<std::string>& names() const { return names_; }

  // For the library's own use: the columnar builder behind it.
  class Rows;
  const Rows& rows() const { return *rows_; }

 private:
  std::unique_ptr<Rows> rows_;
  std::vector<std::string> names_;
};

}  // namespace skua
