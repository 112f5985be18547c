#include "tests/slt/answer.h"

#include <criterion/criterion.h>

#include <limits>

using namespace skua;
using namespace skua::slt;

Test(slt_answer, formats_each_type_as_the_corpus_does) {
  const struct {
    char type;
    ValueView value;
    const char* text;
  } cases[] = {
      {'I', ValueView::null(), "NULL"},
      {'R', ValueView::null(), "NULL"},
      {'T', ValueView::null(), "NULL"},
      {'I', ValueView::integer(-7), "-7"},
      {'I', ValueView::real(2.9), "2"},
      {'I', ValueView::real(-2.9), "-2"},
      {'I', ValueView::text("12abc"), "12"},
      {'I', ValueView::text("abc"), "0"},
      {'R', ValueView::integer(3), "3.000"},
      {'R', ValueView::real(0.0005), "0.001"},
      {'R', ValueView::real(-1e20), "-100000000000000000000.000"},
      {'R', ValueView::text("1.25x"), "1.250"},
      {'R', ValueView::text("inf"), "0.000"},
      {'T', ValueView::integer(42), "42"},
      {'T', ValueView::real(0.1), "0.1"},
      {'T', ValueView::real(1), "1.0"},
      {'T', ValueView::text(""), "(empty)"},
      {'T', ValueView::text("a\tb\x80"), "a@b@"},
      {'T', ValueView::text(std::string_view("a\0b", 3)), "a"},
  };
  for (const auto& c : cases) {
    const std::string text = text_of(c.type, c.value);
    cr_expect(text == c.text, "%c: %s, not %s", c.type, text.c_str(), c.text);
  }
}

Test(slt_answer, sorts_rows_by_their_values_as_text) {
  Answer answer{2, {"2", "b", "10", "a", "2", "a"}, false};
  sort_answer(SortMode::kRows, answer);
  cr_expect(answer.values == std::vector<std::string>({"10", "a", "2", "a", "2", "b"}));
  sort_answer(SortMode::kValues, answer);
  cr_expect(answer.values == std::vector<std::string>({"10", "2", "2", "a", "a", "b"}));
}

Test(slt_answer, hashes_each_value_with_a_newline) {
  // echo 1 | md5sum; printf '' | md5sum
  cr_expect(md5_of({"1"}) == "b026324c6904b2a9cb4b88d6d61c81d1");
  cr_expect(md5_of({}) == "d41d8cd98f00b204e9800998ecf8427e");
}
