// Answer: the result of a query as the corpus writes it down, and the comparison of two.
//
// I prints as %d, R as %.3f, T as itself with `@` for unprintable bytes and `(empty)` for nothing, NULL as
// `NULL`; a value of another type is converted as SQLite's sqlite3_column_* functions do. SQLite's own printf
// formats reals, because its digits after the 16th are zeros and the C library's are not. Any thread, one at a
// time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "protocol/value.h"
#include "tests/slt/script.h"

namespace skua::slt {

struct Answer {
  std::size_t column_count = 0;
  std::vector<std::string> values;  // row by row
  bool failed_in_step = false;      // an error after a successful prepare, which the corpus counts as no rows
};

// The text of one value in a column of type I, R or T.
std::string text_of(char type, const ValueView& value);

void sort_answer(SortMode mode, Answer& answer);

// Of the values, each followed by a newline; in lower-case hexadecimal.
std::string md5_of(const std::vector<std::string>& values);

// What is wrong with a sorted answer, for people; nothing if it is as expected.
std::optional<std::string> difference(const Record& expected, const Answer& got);

}  // namespace skua::slt
