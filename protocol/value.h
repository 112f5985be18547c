// The five types of an SQLite value (sqlite.org/datatype3.html): owned as Value, borrowed as ValueView.
//
// Text is bytes that are meant to be UTF-8: nothing checks them, and they may contain NUL. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace skua {

// The type of a value.
enum class ValueKind : std::uint8_t { kNull = 0, kInteger = 1, kReal = 2, kText = 3, kBlob = 4 };

// "null", "integer", "real", "text", "blob": as SQLite's typeof() says it.
std::string_view to_string(ValueKind kind);

// NULL.
struct Null {
  friend bool operator==(Null, Null) { return true; }
};

// A blob owns bytes that are not text. A distinct type, so that a std::string is always text.
struct Blob {
  Blob() = default;
  explicit Blob(std::string its_bytes) : bytes(std::move(its_bytes)) {}

  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};

// One value that owns its bytes.
using Value = std::variant<Null, std::int64_t, double, std::string, Blob>;

// A value whose bytes belong to someone else (a batch, a statement, a frame) and live no longer than it.
class ValueView {
 public:
  ValueView() = default;
  static ValueView null() { return {}; }
  static ValueView integer(std::int64_t value) {
    ValueView view;
    view.kind_ = ValueKind::kInteger;
    view.integer_ = value;
    return view;
  }
  static ValueView real(double value) {
    ValueView view;
    view.kind_ = ValueKind::kReal;
    view.real_ = value;
    return view;
  }
  static ValueView text(std::string_view bytes) { return ValueView(ValueKind::kText, bytes); }
  static ValueView blob(std::string_view bytes) { return ValueView(ValueKind::kBlob, bytes); }
  // Text and blobs stay in the value.
  static ValueView of(const Value& value);

  ValueKind kind() const { return kind_; }
  bool is_null() const { return kind_ == ValueKind::kNull; }
  // Each of these may be called for its own kind only.
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }
  std::string_view bytes() const { return bytes_; }

  Value to_value() const;

 private:
  ValueView(ValueKind kind, std::string_view bytes) : kind_(kind), bytes_(bytes) {}

  ValueKind kind_ = ValueKind::kNull;
  union {
    std::int64_t integer_ = 0;
    double real_;
  };
  std::string_view bytes_;
};

}  // namespace skua
