// Errors as people see them, and what they make the process exit with.
#include "client/cli/error_report.h"

#include <criterion/criterion.h>

#include "client/cli/exit_code.h"
#include "protocol/result.h"

using namespace skua;
using namespace skua::cli;

namespace {

Error error_at(std::int32_t offset, std::string message = "syntax error") {
  Error error = make_error(ErrorCode::kSql, std::move(message));
  error.sql_offset = offset;
  return error;
}

void expect_report(const Error& error, const StatementPlace& place, const std::string& expected) {
  const std::string report = error_report(error, place);
  cr_assert(report == expected, "%s\nexpected:\n%s", report.c_str(), expected.c_str());
}

}  // namespace

Test(error_report, points_at_the_place) {
  expect_report(error_at(9), {"SELECT * FORM t"}, "skua: error: syntax error\n  SELECT * FORM t\n           ^");
  expect_report(error_at(0), {"FORM"}, "skua: error: syntax error\n  FORM\n  ^");
  expect_report(error_at(4), {"FORM"}, "skua: error: syntax error\n  FORM\n      ^");
  expect_report(error_at(-1), {"FORM"}, "skua: error: syntax error");
  expect_report(error_at(5), {"FORM"}, "skua: error: syntax error");
}

Test(error_report, names_file_and_line) {
  expect_report(error_at(-1), {"SELECT 1", "a.sql", 7}, "skua: error: a.sql:7: syntax error");
  expect_report(error_at(11), {"SELECT *\n\tFORM t", "a.sql", 7},
                "skua: error: a.sql:8: syntax error\n          FORM t\n           ^");
}

Test(error_report, measures_what_stands_before_the_place) {
  expect_report(error_at(16), {"SELECT '日本' FORM"},
                "skua: error: syntax error\n  SELECT '日本' FORM\n                ^");
}

Test(error_report, shows_a_part_of_a_long_line) {
  const std::string report =
      error_report(error_at(1000), {std::string(1000, 'a') + "X" + std::string(1000, 'b')});
  cr_assert(report == "skua: error: syntax error\n  ..." + std::string(56, 'a') + "X" + std::string(55, 'b') +
                          "...\n  " + std::string(59, ' ') + "^");
}

Test(error_report, cuts_no_character) {
  std::string sql;
  for (int i = 0; i < 100; ++i) sql += "日";
  const std::string report = error_report(error_at(150), {sql});
  cr_assert(report.find('<') == std::string::npos, "%s", report.c_str());
}

Test(exit_code, tells_what_to_do) {
  const struct {
    ErrorCode code;
    int exit_code;
  } cases[] = {
      {ErrorCode::kSql, 1},         {ErrorCode::kConstraint, 1},  {ErrorCode::kParameter, 1},
      {ErrorCode::kReadOnly, 1},    {ErrorCode::kAccess, 1},      {ErrorCode::kDiskFull, 1},
      {ErrorCode::kInternal, 1},    {ErrorCode::kUsage, 2},       {ErrorCode::kNotFound, 2},
      {ErrorCode::kConnect, 3},     {ErrorCode::kLost, 3},        {ErrorCode::kInDoubt, 3},
      {ErrorCode::kVersion, 3},     {ErrorCode::kDeadline, 4},    {ErrorCode::kLimit, 4},
      {ErrorCode::kUnavailable, 4}, {ErrorCode::kCancelled, 130},
  };
  for (const auto& one : cases) {
    cr_assert_eq(static_cast<int>(exit_code_of(make_error(one.code, ""))), one.exit_code, "%s",
                 std::string(to_string(one.code)).c_str());
  }
}
