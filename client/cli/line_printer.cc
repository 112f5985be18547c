#include "client/cli/line_printer.h"

#include <algorithm>

#include "client/cli/cell_text.h"
#include "client/cli/delimited_printer.h"

namespace skua::cli {

void LinePrinter::begin(const Columns& columns) {
  std::size_t widest = 5;
  for (const ColumnInfo& column : columns) widest = std::max(widest, display_width(column.name));
  for (const ColumnInfo& column : columns) {
    labels_.push_back(std::string(widest - display_width(column.name), ' ') + column.name + " = ");
  }
}

void LinePrinter::row(std::span<const ValueView> values) {
  if (any_row_) out_.write('\n');
  any_row_ = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out_.write(labels_[i]);
    write_plain(values[i], out_);
    out_.write('\n');
  }
}

}  // namespace skua::cli
