// Statement: prepare, bind, step and what a statement tells of itself.
#include "daemon/engine/statement.h"

#include <criterion/criterion.h>

#include <cmath>
#include <limits>

#include "tests/engine/expectations.h"
#include "tests/engine/scratch_database.h"

using namespace skua;
using namespace skua::test;

namespace {

Statement prepared(Connection& connection, std::string_view sql) {
  return must(Statement::prepare(connection.handle(), sql), std::string(sql));
}

Error prepare_error(Connection& connection, std::string_view sql) {
  auto statement = Statement::prepare(connection.handle(), sql);
  require(!statement, "this was not refused: " + std::string(sql));
  return std::move(statement).error();
}

// The rest of `sql` that the error points at.
std::string_view pointed_at(const Error& error, std::string_view sql) {
  require(error.sql_offset >= 0, "the error has no offset: " + error.message);
  return sql.substr(static_cast<std::size_t>(error.sql_offset));
}

// SQL of exactly so many bytes.
std::string sql_of_bytes(std::size_t bytes) {
  std::string sql = "SELECT 1 --";
  sql.resize(bytes, 'x');
  return sql;
}

}  // namespace

Test(statement, a_syntax_error_comes_with_its_offset_in_bytes) {
  ScratchDatabase scratch;
  const struct {
    std::string_view sql;
    std::string_view at;
  } cases[] = {
      {"SELEC 1", "SELEC 1"},
      {"SELECT 1 +* 2", "* 2"},
      {"SELECT 'caf\xc3\xa9', nothing", "nothing"},
      {"-- a comment\nSELECT no_function(1)", "no_function(1)"},
  };
  for (const auto& c : cases) {
    const Error error = prepare_error(scratch.writer(), c.sql);
    expect_error(error, ErrorCode::kSql);
    cr_assert_eq(error.sqlite_code, SQLITE_ERROR);
    expect_text(pointed_at(error, c.sql), c.at);
  }
}

Test(statement, an_error_without_a_place_has_no_offset) {
  ScratchDatabase scratch;
  const Error error = prepare_error(scratch.writer(), "SELECT (1");
  expect_error(error, ErrorCode::kSql, "incomplete input");
  cr_assert_eq(error.sql_offset, -1);
}

Test(statement, more_than_one_statement_is_an_error_that_names_what_follows) {
  ScratchDatabase scratch;
  const struct {
    std::string_view sql;
    std::string_view next;
    std::string_view at;
  } cases[] = {
      {"SELECT 1; SELECT 2", "near \"SELECT\"", "SELECT 2"},
      {"SELECT 1;;;DROP TABLE t;", "near \"DROP\"", "DROP TABLE t;"},
      {"SELECT 1; /* and */ 'text'", "near \"'text'\"", "'text'"},
      {std::string_view("SELECT 1\0DROP", 13), "near", std::string_view("\0DROP", 5)},
  };
  for (const auto& c : cases) {
    const Error error = prepare_error(scratch.writer(), c.sql);
    expect_error(error, ErrorCode::kSql, c.next);
    expect_error(error, ErrorCode::kSql, "one execute is one statement");
    expect_text(pointed_at(error, c.sql), c.at);
  }
}

Test(statement, what_follows_is_quoted_in_part_if_it_is_long) {
  ScratchDatabase scratch;
  const Error error = prepare_error(scratch.writer(), "SELECT 1; '" + std::string(1000, 'x') + "'");
  expect_error(error, ErrorCode::kSql, "\"'" + std::string(39, 'x') + "\"");
}

Test(statement, white_space_comments_and_semicolons_may_stand_around_it) {
  ScratchDatabase scratch;
  for (const std::string_view sql :
       {"SELECT 1;", " \n\tSELECT 1 ; ;; ", "SELECT 1 -- end", "SELECT 1; /* open", "/* a */ SELECT 1;--", ";SELECT 1",
        "\xEF\xBB\xBFSELECT 1"}) {
    expect_text(text_of(scratch.writer(), sql), "1");
  }
}

Test(statement, a_text_without_a_statement_is_an_error) {
  ScratchDatabase scratch;
  for (const std::string_view sql : {"", "  \n", ";", " ; ; ", "-- only this", "/* only this */", "/* open", "\xEF\xBB\xBF"}) {
    expect_error(prepare_error(scratch.writer(), sql), ErrorCode::kSql, "there is no statement");
  }
}

Test(statement, sql_text_is_limited) {
  ScratchDatabase scratch;
  (void)prepared(scratch.writer(), sql_of_bytes(kSqlBytesMax));
  expect_error(prepare_error(scratch.writer(), sql_of_bytes(kSqlBytesMax + 1)), ErrorCode::kLimit);
}

Test(statement, binds_every_kind_of_value_exactly) {
  ScratchDatabase scratch;
  const Value values[] = {
      Null{}, 0, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), -0.0, 5e-324,
      std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::string(),
      std::string("a\0b", 3), std::string("\xff\xfe not UTF-8"), Blob{}, Blob{std::string("\0\x01", 2)}};
  Statement statement = prepared(scratch.writer(), "SELECT ?1, typeof(?1)");
  for (const Value& value : values) {
    const ValueView view = ValueView::of(value);
    must(statement.bind(1, view));
    cr_assert(must(statement.step()));
    cr_assert(statement.column(0).kind() == view.kind());
    cr_assert(statement.column(0).to_value() == value);
    expect_text(statement.column(1).bytes(), to_string(view.kind()));
    statement.reset();
  }
}

Test(statement, keeps_the_sign_of_zero) {
  ScratchDatabase scratch;
  Statement statement = prepared(scratch.writer(), "SELECT ?1");
  must(statement.bind(1, ValueView::real(-0.0)));
  cr_assert(must(statement.step()));
  cr_assert(std::signbit(statement.column(0).real()));
}

Test(statement, nan_becomes_null) {
  ScratchDatabase scratch;
  Statement statement = prepared(scratch.writer(), "SELECT ?1");
  must(statement.bind(1, ValueView::real(std::numeric_limits<double>::quiet_NaN())));
  cr_assert(must(statement.step()));
  cr_assert(statement.column(0).is_null());
}

Test(statement, a_default_view_of_no_bytes_is_still_text_or_blob) {
  ScratchDatabase scratch;
  Statement statement = prepared(scratch.writer(), "SELECT typeof(?1), typeof(?2), length(?1), length(?2)");
  must(statement.bind(1, ValueView::text({})));
  must(statement.bind(2, ValueView::blob({})));
  cr_assert(must(statement.step()));
  expect_text(statement.column(0).bytes(), "text");
  expect_text(statement.column(1).bytes(), "blob");
  cr_assert_eq(statement.column(2).integer(), 0);
  cr_assert_eq(statement.column(3).integer(), 0);
}

Test(statement, a_bound_value_is_limited) {
  ScratchDatabase scratch;
  Statement statement = prepared(scratch.writer(), "SELECT length(?1)");
  const std::string bytes(kValueBytesMax + 1, 'v');
  must(statement.bind(1, ValueView::blob(std::string_view(bytes).substr(1))));
  cr_assert(must(statement.step()));
  cr_assert_eq(statement.column(0).integer(), static_cast<std::int64_t>(kValueBytesMax));
  statement.reset();
  const Status refused = statement.bind(1, ValueView::blob(bytes));
  cr_assert(!refused);
  expect_error(refused.error(), ErrorCode::kLimit, "value_bytes_max");
}

Test(statement, an_index_that_is_not_there_is_a_parameter_error) {
  ScratchDatabase scratch;
  Statement statement = prepared(scratch.writer(), "SELECT ?1");
  for (const int index : {0, 2, -1}) {
    const Status status = statement.bind(index, ValueView::integer(1));
    cr_assert(!status);
    expect_error(status.error(), ErrorCode::kParameter);
    cr_assert_eq(status.error().sqlite_code, SQLITE_RANGE);
  }
}

Test(statement, finds_parameters_by_name_with_and_without_the_prefix) {
  ScratchDatabase scratch;
  const Statement statement = prepared(scratch.writer(), "SELECT :a, @b, $c, ?7, ?");
  const struct {
    std::string_view name;
    int index;
  } cases[] = {{"a", 1}, {":a", 1}, {"@a", 0}, {"b", 2}, {"@b", 2}, {"c", 3}, {"$c", 3},
               {"?7", 7}, {"7", 0}, {"", 0}, {":", 0}, {"d", 0}, {"A", 0}};
  for (const auto& c : cases) cr_expect_eq(statement.parameter_index(c.name), c.index, "%s", c.name.data());
  cr_assert_eq(statement.parameter_count(), 8);
  expect_text(statement.parameter_name(2), "@b");
  expect_text(statement.parameter_name(8), "");
}

Test(statement, a_prefix_tells_parameters_of_one_name_apart) {
  ScratchDatabase scratch;
  const Statement statement = prepared(scratch.writer(), "SELECT $x, @x, :x");
  cr_assert_eq(statement.parameter_index("$x"), 1);
  cr_assert_eq(statement.parameter_index("@x"), 2);
  cr_assert_eq(statement.parameter_index(":x"), 3);
  cr_assert_eq(statement.parameter_index("x"), 3);
}

Test(statement, tells_names_and_declared_types_of_its_columns) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, price DECIMAL(10, 2), plain)"});
  Statement statement = prepared(scratch.writer(), "SELECT *, count(*), price AS \"as | it\" FROM t");
  cr_assert(must(statement.step()));
  const std::vector<ColumnInfo> expected = {
      {"id", "INTEGER"}, {"price", "DECIMAL(10, 2)"}, {"plain", ""}, {"count(*)", ""}, {"as | it", "DECIMAL(10, 2)"}};
  cr_assert(statement.columns() == expected);
}

Test(statement, tells_the_columns_right_after_the_schema_changed) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a TEXT)", "INSERT INTO t VALUES ('x')"});
  Statement statement = prepared(scratch.writer(), "SELECT * FROM t");
  cr_assert(must(statement.step()));
  cr_assert_eq(statement.column_count(), 1);
  statement.reset();
  scratch.run({"ALTER TABLE t ADD COLUMN b REAL DEFAULT 2.5", "ALTER TABLE t RENAME COLUMN a TO z"});
  cr_assert(must(statement.step()));
  const std::vector<ColumnInfo> expected = {{"z", "TEXT"}, {"b", "REAL"}};
  cr_assert(statement.columns() == expected);
  cr_assert_eq(statement.column(1).real(), 2.5);
}

Test(statement, tells_whether_it_only_reads) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  cr_assert(prepared(scratch.writer(), "SELECT * FROM t").is_read_only());
  cr_assert(!prepared(scratch.writer(), "WITH x(a) AS (SELECT 1) DELETE FROM t").is_read_only());
  const Statement explain = prepared(scratch.writer(), "EXPLAIN QUERY PLAN DELETE FROM t");
  cr_assert(explain.is_explain());
}

Test(statement, reset_keeps_the_bindings_and_reset_bindings_forgets_them) {
  ScratchDatabase scratch;
  Statement statement = prepared(scratch.writer(), "SELECT ?1");
  must(statement.bind(1, ValueView::integer(7)));
  cr_assert(must(statement.step()));
  statement.reset();
  cr_assert(must(statement.step()));
  cr_assert_eq(statement.column(0).integer(), 7);
  statement.reset_bindings();
  cr_assert(must(statement.step()));
  cr_assert(statement.column(0).is_null());
}

Test(statement, an_error_of_a_step_carries_the_extended_code) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a UNIQUE)", "INSERT INTO t VALUES (1)"});
  Statement statement = prepared(scratch.writer(), "INSERT INTO t VALUES (1)");
  const auto step = statement.step();
  cr_assert(!step);
  expect_error(step.error(), ErrorCode::kConstraint, "UNIQUE constraint failed: t.a");
  cr_assert_eq(step.error().sqlite_code, SQLITE_CONSTRAINT_UNIQUE);
  cr_assert_eq(step.error().sql_offset, -1);
}

Test(statement, the_id_of_its_columns_changes_with_them) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a INT, b TEXT)", "INSERT INTO t VALUES (1, 'x')"});
  Statement statement = prepared(scratch.reader(), "SELECT * FROM t");
  Statement same = prepared(scratch.reader(), "SELECT a, b FROM t WHERE a > 0");
  const auto id_after_a_step = [](Statement& stepped) {
    must(stepped.step(), "step");
    const std::uint64_t id = stepped.columns_id();
    stepped.reset();
    return id;
  };
  const std::uint64_t id = id_after_a_step(statement);
  cr_assert_neq(id, 0u);
  cr_assert_eq(id_after_a_step(statement), id);
  cr_assert_eq(id_after_a_step(same), id);
  scratch.run({"ALTER TABLE t RENAME COLUMN b TO c"});
  const std::uint64_t renamed = id_after_a_step(statement);
  cr_assert_neq(renamed, id);
  scratch.run({"ALTER TABLE t ADD COLUMN d REAL"});
  cr_assert_neq(id_after_a_step(statement), renamed);
  scratch.run({"ALTER TABLE t DROP COLUMN d"});
  cr_assert_eq(id_after_a_step(statement), renamed);
}

Test(statement, the_id_of_columns_is_not_fooled_by_where_their_names_end) {
  ScratchDatabase scratch;
  const auto id_of = [&](std::string_view sql) {
    Statement statement = prepared(scratch.reader(), sql);
    must(statement.step(), "step");
    return statement.columns_id();
  };
  cr_assert_neq(id_of("SELECT 1 AS ab, 2 AS c"), id_of("SELECT 1 AS a, 2 AS bc"));
  cr_assert_neq(id_of("SELECT 1 AS \"a1:b\""), id_of("SELECT 1 AS a, 2 AS b"));
}
