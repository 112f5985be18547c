#include "client/cli/insert_printer.h"

#include "client/cli/sql_text.h"

namespace skua::cli {

void InsertPrinter::begin(const Columns& columns) {
  start_ = "INSERT INTO " + short_identifier(table_);
  if (header_) {
    char separator = '(';
    for (const ColumnInfo& column : columns) {
      start_ += separator;
      start_ += short_identifier(column.name);
      separator = ',';
    }
    start_ += ')';
  }
  start_ += " VALUES(";
}

void InsertPrinter::row(std::span<const ValueView> values) {
  out_.write(start_);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out_.write(',');
    out_.write(sql_literal(values[i]));
  }
  out_.write(");\n");
}

}  // namespace skua::cli
