// sqlite_error: what each of SQLite's result codes tells the client to do.
#include "daemon/engine/sqlite_error.h"

#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/scratch_database.h"

using namespace skua;
using namespace skua::test;

Test(sqlite_error, maps_every_main_code) {
  const struct {
    int sqlite_code;
    ErrorCode code;
  } cases[] = {
      {SQLITE_ERROR, ErrorCode::kSql},
      {SQLITE_CONSTRAINT, ErrorCode::kConstraint},
      {SQLITE_MISMATCH, ErrorCode::kConstraint},
      {SQLITE_RANGE, ErrorCode::kParameter},
      {SQLITE_AUTH, ErrorCode::kAccess},
      {SQLITE_TOOBIG, ErrorCode::kLimit},
      {SQLITE_INTERRUPT, ErrorCode::kCancelled},
      {SQLITE_READONLY, ErrorCode::kReadOnly},
      {SQLITE_FULL, ErrorCode::kDiskFull},
      {SQLITE_IOERR, ErrorCode::kIo},
      {SQLITE_CANTOPEN, ErrorCode::kIo},
      {SQLITE_CORRUPT, ErrorCode::kCorrupt},
      {SQLITE_NOTADB, ErrorCode::kCorrupt},
      {SQLITE_ABORT, ErrorCode::kTransactionAborted},
      {SQLITE_BUSY, ErrorCode::kUnavailable},
      {SQLITE_LOCKED, ErrorCode::kUnavailable},
      {SQLITE_SCHEMA, ErrorCode::kUnavailable},
      {SQLITE_NOMEM, ErrorCode::kUnavailable},
      {SQLITE_INTERNAL, ErrorCode::kInternal},
      {SQLITE_MISUSE, ErrorCode::kInternal},
      {12'345, ErrorCode::kInternal},
  };
  for (const auto& c : cases) {
    const Error error = sqlite_error(nullptr, c.sqlite_code);
    expect_error(error, c.code, sqlite3_errstr(c.sqlite_code));
    cr_assert_eq(error.sqlite_code, c.sqlite_code);
    cr_assert_eq(error.sql_offset, -1);
  }
}

Test(sqlite_error, an_extended_code_means_what_its_main_code_does) {
  for (const int code : {SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_CHECK, SQLITE_CONSTRAINT_DATATYPE}) {
    cr_assert_eq(sqlite_error(nullptr, code).code, ErrorCode::kConstraint);
  }
  cr_assert_eq(sqlite_error(nullptr, SQLITE_IOERR_FSYNC).code, ErrorCode::kIo);
  cr_assert_eq(sqlite_error(nullptr, SQLITE_BUSY_SNAPSHOT).code, ErrorCode::kUnavailable);
  cr_assert_eq(sqlite_error(nullptr, SQLITE_ABORT_ROLLBACK).code, ErrorCode::kTransactionAborted);
  cr_assert_eq(sqlite_error(nullptr, SQLITE_READONLY_DBMOVED).code, ErrorCode::kReadOnly);
}

Test(sqlite_error, takes_code_message_and_offset_from_the_connection) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a NOT NULL)"});
  const Error constraint = error_of(scratch.writer(), "INSERT INTO t VALUES (NULL)");
  expect_error(constraint, ErrorCode::kConstraint, "NOT NULL constraint failed: t.a");
  cr_assert_eq(constraint.sqlite_code, SQLITE_CONSTRAINT_NOTNULL);
  const Error sql = error_of(scratch.writer(), "SELECT b FROM t");
  expect_error(sql, ErrorCode::kSql, "no such column: b");
  cr_assert_eq(sql.sql_offset, 7);
}

Test(sqlite_error, does_not_borrow_the_message_of_an_earlier_error) {
  ScratchDatabase scratch;
  (void)error_of(scratch.writer(), "SELECT nothing");
  const Error error = sqlite_error(scratch.writer().handle(), SQLITE_NOMEM);
  expect_error(error, ErrorCode::kUnavailable, sqlite3_errstr(SQLITE_NOMEM));
  cr_assert_eq(error.sqlite_code, SQLITE_NOMEM);
}

Test(sqlite_error, kinds_of_real_errors_arrive_as_they_should) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY)"});
  const struct {
    std::string_view sql;
    ErrorCode code;
    int sqlite_code;
  } cases[] = {
      {"INSERT INTO t VALUES ('not a number')", ErrorCode::kConstraint, SQLITE_MISMATCH},
      {"SELECT zeroblob(101000000) || 'x'", ErrorCode::kLimit, SQLITE_TOOBIG},
      {"SELECT abs(-9223372036854775807 - 1)", ErrorCode::kSql, SQLITE_ERROR},
      {"SELECT json('{')", ErrorCode::kSql, SQLITE_ERROR},
  };
  for (const auto& c : cases) {
    const Error error = error_of(scratch.writer(), c.sql);
    expect_error(error, c.code);
    cr_expect_eq(error.sqlite_code, c.sqlite_code, "%s: %d", c.sql.data(), error.sqlite_code);
  }
}
