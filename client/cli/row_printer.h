// RowPrinter: how the rows of one result are written. One class for each family of formats; make_row_printer()
// chooses.
//
// Rows are written as they come, in bounded memory, whatever their number. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "client/cli/output_file.h"
#include "protocol/value.h"
#include "skua/batch.h"

namespace skua::cli {

enum class Format { kTable, kBox, kMarkdown, kTsv, kCsv, kJson, kNdjson, kLine, kInsert };

// The names as people write them, separated by '|'.
std::string_view format_names();
std::optional<Format> format_named(std::string_view name);
std::string_view to_string(Format format);

struct PrintOptions {
  Format format = Format::kTsv;
  std::optional<bool> header;          // unset: the format's own habit
  std::string insert_table = "table";  // for the insert format
  std::size_t screen_width = 0;        // 0: not a terminal, lines may have any length
};

class RowPrinter {
 public:
  virtual ~RowPrinter() = default;
  // Once, then row() for each row, then end(). The columns outlive the printer's use.
  virtual void begin(const Columns& columns) = 0;
  // One value for each column.
  virtual void row(std::span<const ValueView> values) = 0;
  virtual void end() = 0;
};

// The output must outlive the printer.
std::unique_ptr<RowPrinter> make_row_printer(const PrintOptions& options, OutputFile& out);

}  // namespace skua::cli
