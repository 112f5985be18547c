#include "client/cli/json_printer.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "client/cli/sql_text.h"

namespace skua::cli {

namespace {

bool is_plain(char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

void append_real(std::string& out, double value) {
  // JSON has no NaN. SQLite has none either, so none should arrive.
  if (std::isnan(value)) {
    out += "null";
  } else if (std::isinf(value)) {
    out += value > 0 ? "1e999" : "-1e999";
  } else {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    const std::string_view text(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
    const std::size_t exponent = std::min(text.find('e'), text.size());
    out += text.substr(0, exponent);
    // As in the sqlite3 shell, a real always has a point, so that it cannot be taken for an integer.
    if (text.find('.') == std::string_view::npos) out += ".0";
    out += text.substr(exponent);
  }
}

// One character that is not plain; returns its size.
std::size_t append_special(std::string& out, std::string_view text) {
  const char byte = text[0];
  switch (byte) {
    case '"':
      out += "\\\"";
      return 1;
    case '\\':
      out += "\\\\";
      return 1;
    case '\b':
      out += "\\b";
      return 1;
    case '\f':
      out += "\\f";
      return 1;
    case '\n':
      out += "\\n";
      return 1;
    case '\r':
      out += "\\r";
      return 1;
    case '\t':
      out += "\\t";
      return 1;
    case 0x7f:
      out += byte;
      return 1;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(byte);
  if (code < 0x20) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
    return 1;
  }
  utf8proc_int32_t code_point = -1;
  const utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size(), 4)), &code_point);
  if (size <= 0) {
    out += "\xEF\xBF\xBD";
    return 1;
  }
  out.append(text.substr(0, static_cast<std::size_t>(size)));
  return static_cast<std::size_t>(size);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(append_special(out, text));
  }
  out += '"';
}

void append_json_value(std::string& out, const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      out += "null";
      return;
    case ValueKind::kInteger:
      fmt::format_to(std::back_inserter(out), "{}", value.integer());
      return;
    case ValueKind::kReal:
      append_real(out, value.real());
      return;
    case ValueKind::kText:
      append_json_string(out, value.bytes());
      return;
    case ValueKind::kBlob:
      out += '"';
      out += to_hex(value.bytes());
      out += '"';
      return;
  }
}

void JsonPrinter::begin(const Columns& columns) {
  for (const ColumnInfo& column : columns) {
    std::string key = keys_.empty() ? "{" : ",";
    append_json_string(key, column.name);
    key += ':';
    keys_.push_back(std::move(key));
  }
}

void JsonPrinter::row(std::span<const ValueView> values) {
  object_.clear();
  if (shape_ == Shape::kArray) object_ += any_row_ ? ",\n" : "[";
  any_row_ = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    object_ += keys_[i];
    append_json_value(object_, values[i]);
  }
  object_ += shape_ == Shape::kLines ? "}\n" : "}";
  out_.write(object_);
}

void JsonPrinter::end() {
  if (shape_ == Shape::kArray) out_.write(any_row_ ? "]\n" : "[]\n");
}

}  // namespace skua::cli
