#include "client/cli/row_printer.h"

#include <array>
#include <utility>

#include "client/cli/delimited_printer.h"
#include "client/cli/insert_printer.h"
#include "client/cli/json_printer.h"
#include "client/cli/line_printer.h"
#include "client/cli/table_printer.h"

namespace skua::cli {

namespace {

constexpr std::array<std::pair<std::string_view, Format>, 9> kFormats = {{
    {"table", Format::kTable},
    {"box", Format::kBox},
    {"csv", Format::kCsv},
    {"tsv", Format::kTsv},
    {"json", Format::kJson},
    {"ndjson", Format::kNdjson},
    {"markdown", Format::kMarkdown},
    {"line", Format::kLine},
    {"insert", Format::kInsert},
}};

}  // namespace

std::string_view format_names() { return "table|box|csv|tsv|json|ndjson|markdown|line|insert"; }

std::optional<Format> format_named(std::string_view name) {
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string_view to_string(Format format) {
  for (const auto& [name, known] : kFormats) {
    if (known == format) return name;
  }
  return "unknown";
}

std::unique_ptr<RowPrinter> make_row_printer(const PrintOptions& options, OutputFile& out) {
  switch (options.format) {
    case Format::kTable:
    case Format::kBox:
    case Format::kMarkdown: {
      TableOptions table;
      table.style = options.format == Format::kTable ? TableStyle::ascii()
                    : options.format == Format::kBox ? TableStyle::box()
                                                     : TableStyle::markdown();
      table.header = options.header.value_or(true);
      table.screen_width = options.screen_width;
      return std::make_unique<TablePrinter>(out, table);
    }
    case Format::kTsv:
      return std::make_unique<TsvPrinter>(out, options.header.value_or(false));
    case Format::kCsv:
      return std::make_unique<CsvPrinter>(out, options.header.value_or(false));
    case Format::kJson:
      return std::make_unique<JsonPrinter>(out, JsonPrinter::Shape::kArray);
    case Format::kNdjson:
      return std::make_unique<JsonPrinter>(out, JsonPrinter::Shape::kLines);
    case Format::kLine:
      return std::make_unique<LinePrinter>(out);
    case Format::kInsert:
      return std::make_unique<InsertPrinter>(out, options.insert_table, options.header.value_or(false));
  }
  return nullptr;
}

}  // namespace skua::cli
