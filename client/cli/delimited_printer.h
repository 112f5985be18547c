// TsvPrinter and CsvPrinter: the bytes that `sqlite3 -tabs` and `sqlite3 -csv` print.
//
// Two differences: a text with a NUL byte and a blob are printed whole, where the sqlite3 shell stops at the
// first NUL; and a header that was asked for is printed even if there are no rows. TSV prints every value raw:
// a tab or line end in a text cannot be told from those between values, so CSV or JSON is the format for such
// data.
#pragma once

#include "client/cli/row_printer.h"

namespace skua::cli {

class TsvPrinter : public RowPrinter {
 public:
  TsvPrinter(OutputFile& out, bool header) : out_(out), header_(header) {}
  void begin(const Columns& columns) override;
  void row(std::span<const ValueView> values) override;
  void end() override {}

 private:
  OutputFile& out_;
  const bool header_;
};

class CsvPrinter : public RowPrinter {
 public:
  CsvPrinter(OutputFile& out, bool header) : out_(out), header_(header) {}
  void begin(const Columns& columns) override;
  void row(std::span<const ValueView> values) override;
  void end() override {}

 private:
  // NULL is nothing and an empty text is "".
  void write_text(std::string_view text);

  OutputFile& out_;
  const bool header_;
};

// Integers and reals in decimal, text and blobs as they are, NULL as nothing: what the sqlite3 shell's text
// formats have in common.
void write_plain(const ValueView& value, OutputFile& out);

}  // namespace skua::cli
