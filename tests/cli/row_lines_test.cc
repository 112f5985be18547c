// RowLines: from the row that failed back to its line.
#include <criterion/criterion.h>

#include "client/cli/importer.h"

using skua::cli::RowLines;

Test(row_lines, follow_lines_and_gaps) {
  RowLines lines;
  for (const std::uint64_t line : {2u, 3u, 4u, 7u, 8u, 20u}) lines.add(line);
  const std::uint64_t expected[] = {2, 3, 4, 7, 8, 20};
  for (std::uint64_t row = 0; row < 6; ++row) cr_assert_eq(lines.line_of(row), expected[row]);
}

Test(row_lines, keep_the_rows_that_may_still_fail) {
  RowLines lines;
  constexpr std::uint64_t kRows = 2'000'000;
  // No two rows are on consecutive lines.
  for (std::uint64_t row = 0; row < kRows; ++row) lines.add(1 + 2 * row);
  for (std::uint64_t row = kRows - 400'000; row < kRows; ++row) cr_assert_eq(lines.line_of(row), 1 + 2 * row);
  cr_assert_eq(lines.line_of(0), 0, "forgotten");
}
