#include "client/cli/delimited_printer.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/cli/real_text.h"

namespace skua::cli {

namespace {

// What makes the sqlite3 shell quote a CSV value: a space, a quote of either kind, a comma, or anything but
// ASCII text.
bool needs_quotes(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code <= 0x20 || code >= 0x7f || byte == '"' || byte == '\'' || byte == ',';
}

}  // namespace

void write_plain(const ValueView& value, OutputFile& out) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kInteger: {
      const fmt::format_int digits(value.integer());
      out.write(std::string_view(digits.data(), digits.size()));
      return;
    }
    case ValueKind::kReal:
      out.write(RealText(value.real()).view());
      return;
    case ValueKind::kText:
    case ValueKind::kBlob:
      out.write(value.bytes());
      return;
  }
}

void TsvPrinter::begin(const Columns& columns) {
  if (!header_) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out_.write('\t');
    out_.write(columns[i].name);
  }
  out_.write('\n');
}

void TsvPrinter::row(std::span<const ValueView> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out_.write('\t');
    write_plain(values[i], out_);
  }
  out_.write('\n');
}

void CsvPrinter::begin(const Columns& columns) {
  if (!header_) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out_.write(',');
    write_text(columns[i].name);
  }
  out_.write('\n');
}

void CsvPrinter::row(std::span<const ValueView> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out_.write(',');
    if (values[i].kind() == ValueKind::kText || values[i].kind() == ValueKind::kBlob) {
      write_text(values[i].bytes());
    } else {
      write_plain(values[i], out_);
    }
  }
  out_.write('\n');
}

void CsvPrinter::write_text(std::string_view text) {
  if (!text.empty() && std::find_if(text.begin(), text.end(), needs_quotes) == text.end()) {
    out_.write(text);
    return;
  }
  out_.write('"');
  while (true) {
    const std::size_t quote = text.find('"');
    if (quote == std::string_view::npos) break;
    out_.write(text.substr(0, quote + 1));
    out_.write('"');
    text.remove_prefix(quote + 1);
  }
  out_.write(text);
  out_.write('"');
}

}  // namespace skua::cli
