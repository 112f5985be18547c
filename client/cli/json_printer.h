// JsonPrinter: one JSON array of objects for each result, laid out as `sqlite3 -json` does, or one object a
// line.
//
// What is printed is always JSON (RFC 8259): integers exactly, reals with the fewest digits that give the same
// number back, infinities as 1e999 and -1e999, which is how JSON can say them and what SQLite prints, NULL as
// null, blobs as a string of hexadecimal digits, bytes of a text that are not UTF-8 as U+FFFD. Column names
// that occur twice occur twice. A result without rows is [].
#pragma once

#include <string>
#include <vector>

#include "client/cli/row_printer.h"

namespace skua::cli {

class JsonPrinter : public RowPrinter {
 public:
  enum class Shape { kArray, kLines };

  JsonPrinter(OutputFile& out, Shape shape) : out_(out), shape_(shape) {}
  void begin(const Columns& columns) override;
  void row(std::span<const ValueView> values) override;
  void end() override;

 private:
  OutputFile& out_;
  const Shape shape_;
  std::vector<std::string> keys_;  // with what stands around them: `{"a":`, `,"b":`
  std::string object_;             // the row in the making
  bool any_row_ = false;
};

// Appends a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
// Appends any value as JSON.
void append_json_value(std::string& out, const ValueView& value);

}  // namespace skua::cli
