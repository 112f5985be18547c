// InsertPrinter: one INSERT statement for each row, as the insert mode of the sqlite3 shell writes them. Run
// again, they give the same values, of the same types.
#pragma once

#include <string>

#include "client/cli/row_printer.h"

namespace skua::cli {

class InsertPrinter : public RowPrinter {
 public:
  // With a header the statements name the columns.
  InsertPrinter(OutputFile& out, std::string table, bool header)
      : out_(out), table_(std::move(table)), header_(header) {}
  void begin(const Columns& columns) override;
  void row(std::span<const ValueView> values) override;
  void end() override {}

 private:
  OutputFile& out_;
  const std::string table_;
  const bool header_;
  std::string start_;  // up to the first value
};

}  // namespace skua::cli
