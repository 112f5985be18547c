// Tables: widths, frames, screens, and what must not reach a terminal.
#include "client/cli/table_printer.h"

#include <criterion/criterion.h>

#include "tests/cli/printing.h"

using namespace skua;
using namespace skua::cli;
using namespace skua::test;

namespace {

void expect_printed(const std::string& actual, const std::string& expected) {
  cr_assert(actual == expected, "printed:\n%s\nexpected:\n%s", actual.c_str(), expected.c_str());
}

std::string on_screen(Format format, std::size_t width, const std::vector<std::string>& columns,
                      const Rows& rows) {
  PrintOptions options;
  options.format = format;
  options.screen_width = width;
  return printed(options, columns, rows);
}

std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

}  // namespace

Test(table_printer, lines_up_columns) {
  expect_printed(
      printed(Format::kTable, {"id", "name"}, {{std::int64_t{1}, std::string("Milk")}, {Null{}, 10.5}}),
      "+----+------+\n"
      "| id | name |\n"
      "+----+------+\n"
      "| 1  | Milk |\n"
      "|    | 10.5 |\n"
      "+----+------+\n");
  expect_printed(printed(Format::kBox, {"a"}, {{std::int64_t{12345}}}),
                 "┌───────┐\n"
                 "│   a   │\n"
                 "├───────┤\n"
                 "│ 12345 │\n"
                 "└───────┘\n");
}

Test(table_printer, shows_the_columns_of_an_empty_result) {
  expect_printed(printed(Format::kTable, {"a"}, {}), "+---+\n| a |\n+---+\n");
  expect_printed(printed(Format::kMarkdown, {"a"}, {}), "| a |\n|---|\n");
}

Test(table_printer, can_leave_out_the_header) {
  PrintOptions options;
  options.format = Format::kTable;
  options.header = false;
  expect_printed(printed(options, {"long name"}, {{std::int64_t{1}}}), "+---+\n| 1 |\n+---+\n");
}

Test(table_printer, measures_what_is_seen) {
  expect_printed(
      printed(Format::kTable, {"a"}, {{std::string("日本")}, {std::string("e\u0301")}, {std::string("👍")}}),
      "+------+\n"
      "|  a   |\n"
      "+------+\n"
      "| 日本 |\n"
      "| e\u0301    |\n"
      "| 👍   |\n"
      "+------+\n");
}

Test(table_printer, shows_control_characters_instead_of_sending_them) {
  expect_printed(
      printed(Format::kTable, {"a\x1b[31m"}, {{std::string("\x1b[2J\x07")}, {std::string("\u202e\xff\u009b")}}),
      "+----------------------+\n"
      "|       a^[[31m        |\n"
      "+----------------------+\n"
      "| ^[[2J^G              |\n"
      "| <U+202E><FF><U+009B> |\n"
      "+----------------------+\n");
}

Test(table_printer, shows_blobs_in_hexadecimal) {
  expect_printed(printed(Format::kTable, {"a"}, {{Blob{"\x1b\xff"}}}),
                 "+---------+\n|    a    |\n+---------+\n| x'1bff' |\n+---------+\n");
}

Test(table_printer, gives_lines_of_a_text_lines_of_their_own) {
  expect_printed(printed(Format::kTable, {"a", "b"},
                         {{std::string("one\r\ntwo"), std::int64_t{1}}, {Null{}, std::int64_t{2}}}),
                 "+-----+---+\n"
                 "|  a  | b |\n"
                 "+-----+---+\n"
                 "| one | 1 |\n"
                 "| two |   |\n"
                 "+-----+---+\n"
                 "|     | 2 |\n"
                 "+-----+---+\n");
}

Test(table_printer, keeps_markdown_rows_on_one_line) {
  expect_printed(printed(Format::kMarkdown, {"a|b"}, {{std::string("x|y\nz\r\nw\r")}}),
                 "|       a\\|b       |\n|------------------|\n| x\\|y<br>z<br>w^M |\n");
}

Test(table_printer, cuts_nothing_off_a_terminal) {
  const std::string longer(TablePrinter::kColumnWidthMax + 50, 'x');
  const std::string text = printed(Format::kTable, {"a"}, {{std::string("y")}, {longer}});
  const auto lines = lines_in(text);
  cr_assert_eq(lines[0].size(), TablePrinter::kColumnWidthMax + 4);
  cr_assert(lines[4] == "| " + longer + " |", "a longer cell sticks out");
}

Test(table_printer, prints_on_with_the_widths_of_the_first_rows) {
  Rows rows(TablePrinter::kSampleRows, {std::string("ab")});
  rows.push_back({std::string("abcdef")});
  rows.push_back({std::string("a")});
  const auto lines = lines_in(printed(Format::kTable, {"a"}, rows));
  cr_assert_eq(lines.size(), rows.size() + 4);
  cr_assert(lines[lines.size() - 4] == "| ab |");
  cr_assert(lines[lines.size() - 3] == "| abcdef |");
  cr_assert(lines[lines.size() - 2] == "| a  |");
  cr_assert(lines.back() == "+----+");
}

Test(table_printer, ends_its_sample_by_bytes_too) {
  Rows rows(3, {std::string(TablePrinter::kSampleBytes / 2, 'x')});
  rows.push_back({std::string("y")});
  const auto lines = lines_in(printed(Format::kTable, {"a"}, rows));
  cr_assert_eq(lines.size(), 8);
}

Test(table_printer, fits_a_screen_and_loses_nothing) {
  const std::string text =
      on_screen(Format::kTable, 30, {"id", "text"},
                {{std::int64_t{1}, std::string("the quick brown fox jumps over the lazy dog")}});
  expect_printed(text,
                 "+----+-----------------------+\n"
                 "| id |         text          |\n"
                 "+----+-----------------------+\n"
                 "| 1  | the quick brown fox   |\n"
                 "|    | jumps over the lazy   |\n"
                 "|    | dog                   |\n"
                 "+----+-----------------------+\n");
}

Test(table_printer, shares_a_screen_between_wide_columns) {
  const std::string wide(100, 'w');
  for (const std::string& line :
       lines_in(on_screen(Format::kTable, 60, {"a", "b", "c"}, {{wide, std::int64_t{1}, wide}}))) {
    cr_assert_eq(line.size(), 60, "%s", line.c_str());
  }
}

Test(table_printer, breaks_characters_nowhere) {
  const std::string text = on_screen(Format::kTable, 13, {"a"}, {{std::string("日本語日本語日本語")}});
  expect_printed(text,
                 "+-----------+\n"
                 "|     a     |\n"
                 "+-----------+\n"
                 "| 日本語日  |\n"
                 "| 本語日本  |\n"
                 "| 語        |\n"
                 "+-----------+\n");
}

Test(table_printer, survives_a_screen_that_is_too_small) {
  const std::string text =
      on_screen(Format::kTable, 5, {"a", "b"}, {{std::string("0123456789"), std::string("x")}});
  cr_assert(text.find("012345") != std::string::npos);
  cr_assert(text.find("6789") != std::string::npos);
}
