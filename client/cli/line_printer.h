// LinePrinter: `name = value`, one value a line and an empty line between rows, as `sqlite3 -line` prints them.
#pragma once

#include <string>
#include <vector>

#include "client/cli/row_printer.h"

namespace skua::cli {

class LinePrinter : public RowPrinter {
 public:
  explicit LinePrinter(OutputFile& out) : out_(out) {}
  void begin(const Columns& columns) override;
  void row(std::span<const ValueView> values) override;
  void end() override {}

 private:
  OutputFile& out_;
  std::vector<std::string> labels_;  // aligned to the right, with the ` = `
  bool any_row_ = false;
};

}  // namespace skua::cli
