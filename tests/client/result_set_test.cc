// ResultSet: rows over several batches, and the short ways to one of them.
#include "skua/result_set.h"

#include <criterion/criterion.h>

#include "client/src/response.h"
#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

Batch batch_of(const std::vector<std::int64_t>& numbers) {
  Response read = must(read_response(rows_response(1, {.numbers = numbers})));
  return std::get<RowsReply>(read.body).batch;
}

ResultSet result_of(const std::vector<std::vector<std::int64_t>>& batches) {
  std::vector<Batch> all;
  for (const auto& numbers : batches) all.push_back(batch_of(numbers));
  return ResultSet(Columns(std::vector<ColumnInfo>{{"n", "INTEGER"}}), std::move(all), {});
}

}  // namespace

Test(result_set, counts_rows_over_its_batches) {
  const ResultSet rows = result_of({{}, {1, 2}, {}, {}, {3}, {}});
  cr_assert_eq(rows.row_count(), 3);
  cr_assert(numbers_in(rows) == std::vector<std::int64_t>({1, 2, 3}));
  cr_assert_eq(must(rows.row(2).get<int>(0)), 3);
  cr_assert(result_of({}).empty());
}

Test(result_set, gives_the_only_row) {
  cr_assert(must(result_of({{5}}).scalar()) == Value(std::int64_t{5}));
  const ResultSet one = result_of({{7}});
  cr_assert_eq(must(must(one.one()).get<int>("n")), 7);
  cr_assert(must(one.one_or_none()).has_value());
}

Test(result_set, refuses_another_number_of_rows) {
  const ResultSet none = result_of({});
  const ResultSet two = result_of({{1, 2}});
  cr_assert_eq(none.one().error().code, ErrorCode::kUsage);
  cr_assert_eq(none.scalar().error().code, ErrorCode::kUsage);
  cr_assert(!must(none.one_or_none()).has_value());
  cr_assert_eq(two.one().error().code, ErrorCode::kUsage);
  cr_assert_eq(two.one_or_none().error().code, ErrorCode::kUsage);
  cr_assert(two.one().error().message.find("2") != std::string::npos);
}

Test(result_set, may_be_moved) {
  ResultSet rows = result_of({{1}, {2}});
  const ResultSet moved = std::move(rows);
  cr_assert(numbers_in(moved) == std::vector<std::int64_t>({1, 2}));
}
