// Connection: how a connection is set up, by role, and what it does beside running statements.
#include "daemon/engine/connection.h"

#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/scratch_database.h"

using namespace skua;
using namespace skua::test;

namespace {

int setting(Connection& connection, int option) {
  int value = -1;
  sqlite3_db_config(connection.handle(), option, -1, &value);
  return value;
}

}  // namespace

Test(connection, is_as_strict_as_sqlite_can_be) {
  ScratchDatabase scratch;
  for (Connection* connection : {&scratch.writer(), &scratch.reader()}) {
    cr_assert_eq(setting(*connection, SQLITE_DBCONFIG_DEFENSIVE), 1);
    cr_assert_eq(setting(*connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA), 0);
    cr_assert_eq(setting(*connection, SQLITE_DBCONFIG_DQS_DML), 0);
    cr_assert_eq(setting(*connection, SQLITE_DBCONFIG_DQS_DDL), 0);
    cr_assert_eq(setting(*connection, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION), 0);
    cr_assert_eq(setting(*connection, SQLITE_DBCONFIG_ENABLE_FKEY), 1);
    expect_text(text_of(*connection, "PRAGMA journal_mode"), "wal");
    expect_text(text_of(*connection, "PRAGMA wal_autocheckpoint"), "0");
  }
}

Test(connection, a_reader_cannot_write) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  for (const std::string_view sql : {"INSERT INTO t VALUES (1)", "CREATE TABLE x(a)", "PRAGMA user_version = 2"}) {
    expect_error(error_of(scratch.reader(), sql), ErrorCode::kReadOnly);
  }
  cr_assert_eq(sqlite3_db_readonly(scratch.reader().handle(), "main"), 1);
}

Test(connection, a_reader_sees_each_commit_of_the_writer) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  for (int i = 1; i <= 3; ++i) {
    scratch.run({fmt::format("INSERT INTO t VALUES ({})", i)});
    expect_text(text_of(scratch.reader(static_cast<std::uint32_t>(i)), "SELECT count(*) FROM t"), std::to_string(i));
    expect_text(text_of(scratch.reader(0), "SELECT count(*) FROM t"), std::to_string(i));
  }
}

Test(connection, a_double_quoted_string_is_not_a_string) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  expect_error(error_of(scratch.writer(), "SELECT \"nothing\""), ErrorCode::kSql, "no such column");
  expect_error(error_of(scratch.writer(), "CREATE INDEX i ON t(\"nothing\")"), ErrorCode::kSql, "no such column");
}

Test(connection, enforces_foreign_keys_unless_told_not_to) {
  const std::vector<std::string> schema = {"CREATE TABLE parent(id INTEGER PRIMARY KEY)",
                                           "CREATE TABLE child(parent REFERENCES parent)"};
  ScratchDatabase strict;
  strict.run(schema);
  const Error error = error_of(strict.writer(), "INSERT INTO child VALUES (1)");
  expect_error(error, ErrorCode::kConstraint, "FOREIGN KEY constraint failed");
  cr_assert_eq(error.sqlite_code, SQLITE_CONSTRAINT_FOREIGNKEY);
  DatabaseOptions options;
  options.foreign_keys = false;
  ScratchDatabase loose(options);
  loose.run(schema);
  loose.run({"INSERT INTO child VALUES (1)"});
  expect_text(text_of(loose.reader(), "PRAGMA foreign_keys"), "0");
}

Test(connection, the_schema_and_shadow_tables_cannot_be_written) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)", "CREATE VIRTUAL TABLE words USING fts5(word)"});
  for (const std::string_view sql :
       {"UPDATE sqlite_schema SET sql = ''", "DELETE FROM sqlite_master", "DELETE FROM words_content"}) {
    expect_error(error_of(scratch.writer(), sql), ErrorCode::kSql, "may not be modified");
  }
}

Test(connection, the_schema_is_not_trusted_with_functions_that_are_not_innocuous) {
  ScratchDatabase scratch;
  sqlite3_create_function_v2(
      scratch.writer().handle(), "risky", 0, SQLITE_UTF8, nullptr,
      [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_int(context, 1); }, nullptr, nullptr, nullptr);
  expect_text(text_of(scratch.writer(), "SELECT risky()"), "1");
  scratch.run({"CREATE VIEW v AS SELECT risky()"});
  expect_error(error_of(scratch.writer(), "SELECT * FROM v"), ErrorCode::kSql, "unsafe use of risky()");
}

Test(connection, the_schema_can_be_trusted_by_configuration) {
  const std::vector<std::string> schema = {"CREATE TABLE t(a)", "CREATE VIRTUAL TABLE words USING fts5(word)",
                                           "CREATE TRIGGER keep AFTER INSERT ON t BEGIN "
                                           "INSERT INTO words VALUES (NEW.a); END"};
  ScratchDatabase strict;
  strict.run(schema);
  expect_error(error_of(strict.writer(), "INSERT INTO t VALUES ('milk')"), ErrorCode::kSql, "unsafe use of virtual table");
  DatabaseOptions options;
  options.trusted_schema = true;
  ScratchDatabase trusting(options);
  trusting.run(schema);
  trusting.run({"INSERT INTO t VALUES ('milk')"});
  expect_text(text_of(trusting.reader(), "SELECT word FROM words WHERE words MATCH 'milk'"), "milk");
}

Test(connection, an_error_of_a_reader_whose_schema_is_out_of_date_is_told_as_it_is) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "0");
  scratch.run({"ALTER TABLE t ADD COLUMN b"});
  expect_error(error_of(scratch.reader(), "SELECT missing"), ErrorCode::kSql, "no such column: missing");
  scratch.run({"ALTER TABLE t ADD COLUMN c"});
  expect_error(error_of(scratch.reader(), "SELECT missing FROM t"), ErrorCode::kSql, "no such column: missing");
  scratch.run({"CREATE TABLE u(a)"});
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM u"), "0");
}

Test(connection, loads_no_extension) {
  ScratchDatabase scratch;
  expect_error(error_of(scratch.writer(), "SELECT load_extension('none')"), ErrorCode::kAccess,
               "the function load_extension is not available");
}

Test(connection, limits_parameters_and_columns) {
  ScratchDatabase scratch;
  const auto columns = [](std::size_t count) {
    std::string sql = "SELECT 1";
    for (std::size_t i = 1; i < count; ++i) sql += ",1";
    return sql;
  };
  (void)rows_of(scratch.writer(), columns(kColumnsMax));
  expect_error(error_of(scratch.writer(), columns(kColumnsMax + 1)), ErrorCode::kSql, "too many columns");
  const auto like = [](std::size_t bytes) { return "SELECT 'x' LIKE '" + std::string(bytes, 'x') + "'"; };
  (void)rows_of(scratch.writer(), like(kPatternBytesMax));
  expect_error(error_of(scratch.writer(), like(kPatternBytesMax + 1)), ErrorCode::kSql, "pattern too complex");
  (void)rows_of(scratch.writer(), fmt::format("SELECT ?{}", kParametersMax));
  expect_error(error_of(scratch.writer(), fmt::format("SELECT ?{}", kParametersMax + 1)), ErrorCode::kSql,
               "variable number must be between");
}

Test(connection, limits_the_length_of_a_value_and_a_row) {
  ScratchDatabase scratch;
  expect_text(text_of(scratch.writer(), fmt::format("SELECT length(zeroblob({}))", kRowBytesMax)),
              std::to_string(kRowBytesMax));
  expect_error(error_of(scratch.writer(), fmt::format("SELECT zeroblob({})", kRowBytesMax + 1)), ErrorCode::kLimit,
               "too big");
}

Test(connection, a_read_transaction_takes_its_snapshot_when_it_begins) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  must(scratch.reader().begin(true, false));
  cr_assert(scratch.reader().in_transaction());
  scratch.run({"INSERT INTO t VALUES (1)"});
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "0");
  scratch.reader().rollback();
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "1");
}

Test(connection, durability_follows_the_request) {
  ScratchDatabase scratch;
  const auto synchronous = [&] { return text_of(scratch.writer(), "PRAGMA synchronous"); };
  expect_text(synchronous(), "2");
  must(scratch.writer().set_relaxed(true));
  expect_text(synchronous(), "1");
  must(scratch.writer().begin(false, false));
  expect_text(synchronous(), "2");
  scratch.writer().rollback();
}

Test(connection, a_rollback_without_a_transaction_is_nothing) {
  ScratchDatabase scratch;
  scratch.writer().rollback();
  cr_assert(!scratch.writer().in_transaction());
  must(scratch.writer().begin(false, false));
  scratch.writer().rollback();
  cr_assert(!scratch.writer().in_transaction());
}

Test(connection, a_watched_token_stops_the_statement_and_nothing_after_it) {
  ScratchDatabase scratch;
  constexpr std::string_view kLong = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
                                     "SELECT count(*) FROM n";
  CancelToken token;
  token.cancel(CancelReason::kClient);
  {
    const Connection::Watch watch(scratch.writer(), &token);
    const Error error = error_of(scratch.writer(), kLong);
    expect_error(error, ErrorCode::kCancelled);
    cr_assert_eq(error.sqlite_code, SQLITE_INTERRUPT);
  }
  expect_text(text_of(scratch.writer(), kLong), "100000");
  {
    const Connection::Watch watch(scratch.writer(), nullptr);
    expect_text(text_of(scratch.writer(), kLong), "100000");
  }
}

Test(connection, counts_the_pages_of_the_log) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  const int before = scratch.writer().wal_pages();
  cr_assert_gt(before, 0);
  scratch.run({"INSERT INTO t VALUES (zeroblob(40960))"});
  cr_assert_geq(scratch.writer().wal_pages(), before + 10);
  scratch.writer().forget_wal_pages();
  cr_assert_eq(scratch.writer().wal_pages(), 0);
}
