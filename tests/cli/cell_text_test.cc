// What may stand on a terminal, and how wide it is.
#include "client/cli/cell_text.h"

#include <criterion/criterion.h>

using namespace skua::cli;

namespace {

std::string joined(const std::vector<std::string_view>& lines) {
  std::string text;
  for (const std::string_view line : lines) text += std::string(line) + "|";
  return text;
}

}  // namespace

Test(cell_text, expands_tabs) {
  cr_assert(printable("a\tb", LineEnds::kKeep) == "a       b");
  cr_assert(printable("12345678\tb", LineEnds::kKeep) == "12345678        b");
  cr_assert(printable("日\tb", LineEnds::kKeep) == "日      b");
  cr_assert(printable("a\n\tb", LineEnds::kKeep) == "a\n        b");
}

Test(cell_text, replaces_controls) {
  cr_assert(printable(std::string_view("\0\x1b\x7f\r\n", 5), LineEnds::kEscape) == "^@^[^?^M^J");
  cr_assert(printable("a\r\nb\rc", LineEnds::kKeep) == "a\nb^Mc");
  cr_assert(printable("\u0085\u2028\u202e\u2066", LineEnds::kKeep) == "<U+0085><U+2028><U+202E><U+2066>");
  cr_assert(printable("\xff\xc3", LineEnds::kKeep) == "<FF><C3>");
  cr_assert(printable("", LineEnds::kKeep).empty());
}

Test(cell_text, keeps_text_of_all_languages) {
  const std::string text = "Grüße עברית العربية ไทย 日本語 👨\u200d👩\u200d👧";
  cr_assert(printable(text, LineEnds::kKeep) == text);
}

Test(cell_text, measures_columns) {
  cr_assert_eq(display_width(""), 0);
  cr_assert_eq(display_width("abc"), 3);
  cr_assert_eq(display_width("日本"), 4);
  cr_assert_eq(display_width("e\u0301"), 1);
  cr_assert_eq(display_width("👍"), 2);
  cr_assert_eq(widest_line("a\nabc\nab"), 3);
}

Test(cell_text, breaks_lines) {
  cr_assert(joined(lines_of("", 5)) == "|");
  cr_assert(joined(lines_of("a\nb\n", 0)) == "a|b||");
  cr_assert(joined(lines_of("abcdef", 0)) == "abcdef|");
  cr_assert(joined(lines_of("abcdef", 6)) == "abcdef|");
  cr_assert(joined(lines_of("abcdef", 5)) == "abcde|f|");
  cr_assert(joined(lines_of("one two three", 8)) == "one two |three|");
  cr_assert(joined(lines_of("a bcdefghij", 8)) == "a bcdefg|hij|");
  cr_assert(joined(lines_of("日本", 3)) == "日|本|");
  cr_assert(joined(lines_of("日本", 1)) == "日|本|");
  cr_assert(joined(lines_of("abe\u0301f", 3)) == "abe\u0301|f|");
}
