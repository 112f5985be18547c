#include "client/cli/table_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "client/cli/cell_text.h"
#include "client/cli/real_text.h"
#include "client/cli/sql_text.h"

namespace skua::cli {

namespace {

std::string markdown_text(std::string_view text) {
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of("|\r\n"), rest.size());
    out += printable(rest.substr(0, end), LineEnds::kEscape);
    rest.remove_prefix(end);
    if (rest.empty()) break;
    if (rest[0] == '|') {
      out += "\\|";
    } else if (rest[0] == '\n') {
      out += "<br>";
    } else if (rest.substr(0, 2) != "\r\n") {
      out += "^M";
    }
    rest.remove_prefix(1);
  }
  return out;
}

// The widths given, each cut to the same cap, as large as it can be with their sum within the room.
std::vector<std::size_t> capped(const std::vector<std::size_t>& widths, std::size_t room) {
  std::vector<std::size_t> sorted = widths;
  std::sort(sorted.begin(), sorted.end());
  std::size_t cap = 0;
  std::size_t columns_left = sorted.size();
  std::size_t room_left = room;
  for (const std::size_t width : sorted) {
    cap = room_left / columns_left;
    if (width > cap) break;
    room_left -= width;
    --columns_left;
    cap = width;
    if (columns_left == 0) return widths;
  }
  cap = std::max(cap, TablePrinter::kColumnWidthMin);
  std::vector<std::size_t> out = widths;
  for (std::size_t& width : out) width = std::min(width, cap);
  // What the division left over goes to the first columns that were cut.
  std::size_t used = std::accumulate(out.begin(), out.end(), std::size_t{0});
  for (std::size_t i = 0; i < out.size() && used < room; ++i) {
    if (out[i] < widths[i]) {
      ++out[i];
      ++used;
    }
  }
  return out;
}

}  // namespace

TableStyle TableStyle::ascii() {
  const Rule rule{"+", "+", "+", "-"};
  return {rule, rule, rule, "|", false};
}

TableStyle TableStyle::box() {
  return {Rule{"┌", "┬", "┐", "─"}, Rule{"└", "┴", "┘", "─"}, Rule{"├", "┼", "┤", "─"}, "│", false};
}

TableStyle TableStyle::markdown() { return {std::nullopt, std::nullopt, Rule{"|", "|", "|", "-"}, "|", true}; }

void TablePrinter::begin(const Columns& columns) {
  for (const ColumnInfo& column : columns) {
    header_.push_back(options_.style.markdown_escapes ? markdown_text(column.name)
                                                      : printable(column.name, LineEnds::kEscape));
  }
}

std::string TablePrinter::cell(const ValueView& value) const {
  switch (value.kind()) {
    case ValueKind::kNull:
      return {};
    case ValueKind::kInteger:
      return fmt::format("{}", value.integer());
    case ValueKind::kReal:
      return std::string(RealText(value.real()).view());
    case ValueKind::kText:
      return options_.style.markdown_escapes ? markdown_text(value.bytes())
                                             : printable(value.bytes(), LineEnds::kKeep);
    case ValueKind::kBlob:
      return "x'" + to_hex(value.bytes()) + "'";
  }
  return {};
}

void TablePrinter::row(std::span<const ValueView> values) {
  Cells cells;
  cells.reserve(values.size());
  for (const ValueView& value : values) cells.push_back(cell(value));
  if (settled_) return print_row(cells);
  for (const std::string& text : cells) sample_bytes_ += text.size() + sizeof(std::string);
  sample_.push_back(std::move(cells));
  if (sample_.size() >= kSampleRows || sample_bytes_ >= kSampleBytes) settle();
}

void TablePrinter::end() {
  if (!settled_) settle();
  if (options_.style.bottom) print_rule(*options_.style.bottom);
}

void TablePrinter::settle() {
  settled_ = true;
  for (const std::string& name : header_) widths_.push_back(options_.header ? display_width(name) : 0);
  for (const Cells& cells : sample_) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths_[i] = std::max(widths_[i], std::min(widest_line(cells[i]), kColumnWidthMax));
    }
  }
  if (options_.screen_width > 0 && !options_.style.markdown_escapes) fit_to_screen();
  const auto has_lines = [&](const Cells& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (lines_of(cells[i], wraps_ ? widths_[i] : 0).size() > 1) return true;
    }
    return false;
  };
  rules_between_ = !options_.style.markdown_escapes && std::any_of(sample_.begin(), sample_.end(), has_lines);

  if (options_.style.top) print_rule(*options_.style.top);
  if (options_.header) {
    print_cells(header_, Align::kCentre);
    if (!sample_.empty() || !options_.style.bottom) print_rule(options_.style.middle);
  }
  for (const Cells& cells : sample_) print_row(cells);
  sample_.clear();
  sample_.shrink_to_fit();
}

void TablePrinter::fit_to_screen() {
  wraps_ = true;
  // Each column has a space on either side and a bar on its left; the last bar is the one more.
  const std::size_t frame = 3 * widths_.size() + 1;
  const std::size_t room = options_.screen_width > frame ? options_.screen_width - frame : 0;
  widths_ = capped(widths_, room);
  for (std::size_t& width : widths_) width = std::max<std::size_t>(width, 1);
}

void TablePrinter::print_rule(const TableStyle::Rule& rule) {
  out_.write(rule.left);
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    if (i > 0) out_.write(rule.middle);
    for (std::size_t column = 0; column < widths_[i] + 2; ++column) out_.write(rule.fill);
  }
  out_.write(rule.right);
  out_.write('\n');
}

void TablePrinter::print_row(const Cells& cells) {
  if (rules_between_ && any_row_printed_) print_rule(options_.style.middle);
  any_row_printed_ = true;
  print_cells(cells, Align::kLeft);
}

void TablePrinter::print_cells(const Cells& cells, Align align) {
  std::vector<std::vector<std::string_view>> lines;
  std::size_t height = 1;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    lines.push_back(lines_of(cells[i], wraps_ ? widths_[i] : 0));
    height = std::max(height, lines.back().size());
  }
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out_.write(options_.style.bar);
      out_.write(' ');
      print_padded(y < lines[i].size() ? lines[i][y] : std::string_view(), widths_[i], align);
      out_.write(' ');
    }
    out_.write(options_.style.bar);
    out_.write('\n');
  }
}

void TablePrinter::print_padded(std::string_view line, std::size_t width, Align align) {
  const std::size_t used = display_width(line);
  const std::size_t spare = width > used ? width - used : 0;
  const std::size_t before = align == Align::kCentre ? spare / 2 : 0;
  out_.repeat(before, ' ');
  out_.write(line);
  out_.repeat(spare - before, ' ');
}

}  // namespace skua::cli
