// Row::get and Columns: values as C++ types.
#include "skua/batch.h"

#include <criterion/criterion.h>

#include <limits>

#include "client/src/response.h"
#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

// A row of one value, and what it needs to live.
struct OneValue {
  explicit OneValue(const Value& value) : columns(std::vector<ColumnInfo>{{"v", ""}}) {
    RowBatchBuilder rows(1);
    rows.append(ValueView::of(value));
    rows.end_row();
    Response read =
        must(read_response(response(1, [&](auto root) { rows.write(root.initRows().initBatch()); })));
    batch = std::get<RowsReply>(read.body).batch;
  }
  template <class T>
  Result<T> as() const {
    return Row(columns, batch, 0).get<T>(0);
  }

  Columns columns;
  Batch batch;
};

template <class T>
bool is(const Value& value, const T& expected) {
  const OneValue one(value);
  const Result<T> got = one.as<T>();
  return got && *got == expected;
}

template <class T>
bool refuses(const Value& value) {
  const OneValue one(value);
  const Result<T> got = one.as<T>();
  return !got && got.error().code == ErrorCode::kUsage;
}

constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();

}  // namespace

Test(row_get, gives_integers_that_fit) {
  cr_assert(is<std::int64_t>(kMax64, kMax64) && is<std::int64_t>(kMin64, kMin64));
  cr_assert(is<std::int32_t>(kMax32, std::numeric_limits<std::int32_t>::max()));
  cr_assert(is<std::int32_t>(kMin32, std::numeric_limits<std::int32_t>::min()));
  cr_assert(refuses<std::int32_t>(kMax32 + 1) && refuses<std::int32_t>(kMin32 - 1));
  cr_assert(is<bool>(std::int64_t{0}, false) && is<bool>(std::int64_t{1}, true));
  cr_assert(refuses<bool>(std::int64_t{2}) && refuses<bool>(std::int64_t{-1}));
}

Test(row_get, gives_reals_of_reals_and_integers) {
  cr_assert(is<double>(2.5, 2.5) && is<double>(std::int64_t{2}, 2.0));
  cr_assert(refuses<std::int64_t>(2.0) && refuses<double>(std::string("2.5")));
}

Test(row_get, tells_text_from_blobs) {
  const std::string bytes("a\0b", 3);
  cr_assert(is<std::string>(bytes, bytes));
  cr_assert(is<std::string_view>(bytes, std::string_view(bytes)));
  cr_assert(is<Blob>(Blob{bytes}, Blob{bytes}));
  cr_assert(refuses<std::string>(Blob{bytes}) && refuses<Blob>(bytes) && refuses<std::string>(std::int64_t{1}));
}

Test(row_get, gives_null_to_optionals_and_values_only) {
  cr_assert(is<std::optional<std::int64_t>>(Null{}, std::nullopt));
  cr_assert(is<std::optional<std::string>>(Null{}, std::nullopt));
  cr_assert(is<std::optional<bool>>(std::int64_t{1}, true));
  cr_assert(is<std::optional<Blob>>(Blob{"x"}, Blob{"x"}));
  cr_assert(is<Value>(Null{}, Value(Null{})) && is<Value>(2.5, Value(2.5)));
  cr_assert(is<std::optional<Value>>(Null{}, std::nullopt));
  cr_assert(refuses<std::int64_t>(Null{}) && refuses<std::string>(Null{}) && refuses<Blob>(Null{}));
  cr_assert(refuses<std::optional<std::int64_t>>(std::string("1")));
}

Test(row_get, says_what_it_found) {
  const OneValue text(std::string("x"));
  const std::string message = text.as<std::int64_t>().error().message;
  cr_assert(message == "column 0 (\"v\") holds text, not a 64-bit integer", "%s", message.c_str());
  const OneValue large(kMax64);
  cr_assert(large.as<std::int32_t>().error().message.find("9223372036854775807") != std::string::npos);
}

Test(row_get, refuses_columns_that_are_not_there) {
  const OneValue one(std::int64_t{1});
  const Row row(one.columns, one.batch, 0);
  cr_assert_eq(row.get<int>(1).error().code, ErrorCode::kUsage);
  cr_assert_eq(row.get<int>("w").error().code, ErrorCode::kUsage);
  cr_assert_eq(row.at("w").error().code, ErrorCode::kUsage);
  cr_assert_eq(must(row.at("V")).integer(), 1);
}

Test(columns, are_found_by_name_as_sqlite_finds_them) {
  const Columns columns(std::vector<ColumnInfo>{{"Id", ""}, {"name", ""}, {"ID", ""}, {"Ä", ""}});
  cr_assert_eq(must(columns.index_of("id")), 0);
  cr_assert_eq(must(columns.index_of("NAME")), 1);
  cr_assert_eq(must(columns.index_of("Ä")), 3);
  cr_assert(!columns.index_of("ä"));
  cr_assert(!columns.index_of("nam"));
  cr_assert(!columns.index_of(""));
}

Test(batch, gives_its_columns_as_they_lie_and_keeps_them_alive) {
  RowBatchBuilder rows(3);
  for (std::int64_t i = 0; i < 10; ++i) {
    rows.append_integer(i);
    if (i == 3) {
      rows.append_null();
    } else {
      rows.append_real(static_cast<double>(i) / 2);
    }
    rows.append_text(std::string(static_cast<std::size_t>(i), 'x'));
    rows.end_row();
  }
  Batch kept;
  {
    Response read =
        must(read_response(response(1, [&](auto root) { rows.write(root.initRows().initBatch()); })));
    const Batch batch = std::get<RowsReply>(read.body).batch;
    kept = batch;
  }
  cr_assert_eq(kept.row_count(), 10);
  cr_assert_eq(kept.column_count(), 3);
  std::int64_t sum = 0;
  for (const std::int64_t value : kept.column(0).integers()) sum += value;
  cr_assert_eq(sum, 45);
  cr_assert(kept.column(1).may_have_nulls() && kept.column(1).is_null(3) && kept.at(3, 1).is_null());
  cr_assert_eq(kept.column(1).reals()[9], 4.5);
  cr_assert_eq(kept.column(2).bytes().size(), 45);
  cr_assert_eq(kept.column(2).ends()[9], 45);
  cr_assert_eq(kept.at(9, 2).bytes().size(), 9);
  const Batch moved = std::move(kept);
  cr_assert_eq(moved.at(9, 0).integer(), 9);
  cr_assert_eq(kept.row_count(), 0);
  cr_assert_eq(kept.column_count(), 0);
}

Test(batch, without_rows_is_empty) {
  const Batch batch;
  cr_assert_eq(batch.row_count(), 0);
  cr_assert_eq(batch.column_count(), 0);
}
