// TablePrinter: rows in columns that are lined up, with the frames of `sqlite3 -table`, `-box` and `-markdown`.
//
// The widths come from the first rows (kSampleRows or kSampleBytes); later rows are printed on with these
// widths as they come, so memory is bounded. No value is cut: off a terminal a later, longer one pushes its own
// row out of line; on a terminal whatever is wider than its column goes on in the next line of the cell, and
// columns give way to each other so that a row fits the screen. Blobs are shown as x'00ff', characters that
// would disturb a terminal as cell_text.h says. Markdown has one line a row: line ends are <br> and | is \|.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/row_printer.h"

namespace skua::cli {

struct TableStyle {
  // What stands left of the first column, between columns, right of the last, and what fills a rule.
  struct Rule {
    std::string_view left, middle, right, fill;
  };
  std::optional<Rule> top, bottom;
  Rule middle;  // below the header
  std::string_view bar;
  bool markdown_escapes = false;

  static TableStyle ascii();
  static TableStyle box();
  static TableStyle markdown();
};

struct TableOptions {
  TableStyle style;
  bool header = true;
  std::size_t screen_width = 0;  // 0: not a terminal
};

class TablePrinter : public RowPrinter {
 public:
  static constexpr std::size_t kSampleRows = 1'000;
  static constexpr std::size_t kSampleBytes = 1024 * 1024;
  // Off a terminal a wider cell does not make the others of its column as wide.
  static constexpr std::size_t kColumnWidthMax = 1'000;
  // On a terminal no column is made narrower than this; rows that then do not fit are wrapped by the terminal.
  static constexpr std::size_t kColumnWidthMin = 6;

  TablePrinter(OutputFile& out, TableOptions options) : out_(out), options_(options) {}
  void begin(const Columns& columns) override;
  void row(std::span<const ValueView> values) override;
  void end() override;

 private:
  enum class Align { kLeft, kCentre };
  using Cells = std::vector<std::string>;

  std::string cell(const ValueView& value) const;
  // Ends the sample: decides the widths and prints the header and the rows so far.
  void settle();
  void fit_to_screen();
  void print_rule(const TableStyle::Rule& rule);
  void print_cells(const Cells& cells, Align align);
  void print_row(const Cells& cells);
  void print_padded(std::string_view line, std::size_t width, Align align);

  OutputFile& out_;
  const TableOptions options_;
  Cells header_;
  std::vector<Cells> sample_;
  std::size_t sample_bytes_ = 0;
  bool settled_ = false;
  std::vector<std::size_t> widths_;
  bool wraps_ = false;          // cells are broken at their column's width
  bool rules_between_ = false;  // some cell of the sample has several lines: rows need rules between them
  bool any_row_printed_ = false;
};

}  // namespace skua::cli
