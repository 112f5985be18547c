// JobRunner: executeMany, all rows or none.
#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::string_view kInsert = "INSERT INTO t(a, b) VALUES (?, ?)";

struct Scene {
  Scene() { scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b)"}); }
  std::string rows() { return text_of(scratch.writer(), "SELECT a, b FROM t ORDER BY id"); }

  ScratchDatabase scratch;
  Lane lane{scratch.writer()};
};

}  // namespace

Test(job_many, runs_the_statement_once_for_each_row) {
  Scene scene;
  const Job job = scene.lane.run(execute_many_request(kInsert, {{1, "one"}, {2.5, Blob{"\x02"}}, {"three", Null{}}}));
  const Answer answer = answer_of(job);
  cr_assert(answer.rows.empty() && answer.columns.empty());
  cr_assert_eq(answer.done->changes, 3u);
  cr_assert_eq(answer.done->last_insert_rowid, 3);
  cr_assert_eq(answer.done->transaction, TransactionState::kNone);
  cr_assert(!job.transaction_open);
  expect_text(text_of(scene.scratch.reader(), "SELECT a, b FROM t ORDER BY id"), "1|one\n2.5|x'02'\nthree|NULL");
}

Test(job_many, columns_of_nothing_but_null_and_mixed_columns_arrive) {
  Scene scene;
  (void)answer_of(scene.lane.run(execute_many_request(kInsert, {{1, Null{}}, {"x", Null{}}, {Null{}, Null{}}, {0.5, Null{}}})));
  expect_text(scene.rows(), "1|NULL\nx|NULL\nNULL|NULL\n0.5|NULL");
}

Test(job_many, no_rows_change_nothing) {
  Scene scene;
  const Answer answer = answer_of(scene.lane.run(execute_many_request("INSERT INTO t(a) VALUES (:a)", {}, {"a"})));
  cr_assert_eq(answer.done->changes, 0u);
  cr_assert_eq(answer.done->last_insert_rowid, 0);
}

Test(job_many, columns_are_matched_by_name) {
  Scene scene;
  const auto named = [](std::vector<std::string> names) {
    return execute_many_request("INSERT INTO t(a, b) VALUES (:a, @b)", {{1, 2}}, names);
  };
  (void)answer_of(scene.lane.run(named({"@b", "a"})));
  expect_text(scene.rows(), "2|1");
  expect_error(error_of(scene.lane.run(named({"a", "c"}))), ErrorCode::kParameter, "no parameter 'c'");
  expect_error(error_of(scene.lane.run(named({"a", ":a"}))), ErrorCode::kParameter, "given twice");
  expect_error(error_of(scene.lane.run(named({"a"}))), ErrorCode::kParameter, "1 names for 2 columns");
  expect_error(error_of(scene.lane.run(execute_many_request("INSERT INTO t(a, b) VALUES (:a, @b)", {{1}}, {"a"}))),
               ErrorCode::kParameter, "@b was not given");
}

Test(job_many, the_number_of_columns_must_fit) {
  Scene scene;
  expect_error(error_of(scene.lane.run(execute_many_request(kInsert, {{1}}))), ErrorCode::kParameter,
               "has 2 parameters, 1 was given");
  expect_error(error_of(scene.lane.run(execute_many_request(kInsert, {{1, 2, 3}}))), ErrorCode::kParameter,
               "3 were given");
}

Test(job_many, an_error_names_its_row_and_undoes_all) {
  Scene scene;
  const Job job = scene.lane.run(execute_many_request(kInsert, {{1, 1}, {2, 2}, {1, 3}, {4, 4}}));
  expect_error(error_of(job), ErrorCode::kConstraint, "UNIQUE");
  cr_assert_eq(job.error->row, 2);
  cr_assert(!job.transaction_open);
  expect_text(scene.rows(), "");
}

Test(job_many, an_error_inside_of_a_transaction_undoes_this_request_only) {
  Scene scene;
  scene.lane.begin();
  (void)answer_of(scene.lane.run(execute_many_request(kInsert, {{1, 1}, {2, 2}})));
  const Job job = scene.lane.run(execute_many_request(kInsert, {{3, 3}, {2, 4}}));
  expect_error(error_of(job), ErrorCode::kConstraint);
  cr_assert_eq(job.error->row, 1);
  cr_assert(job.transaction_open);
  const Answer more = answer_of(scene.lane.run(execute_many_request(kInsert, {{5, 5}})));
  cr_assert_eq(more.done->transaction, TransactionState::kOpen);
  cr_assert(scene.lane.commit().error == nullptr);
  expect_text(scene.rows(), "1|1\n2|2\n5|5");
}

Test(job_many, a_row_that_rolls_back_in_sqlite_ends_the_transaction) {
  Scene scene;
  scene.lane.begin();
  (void)answer_of(scene.lane.execute("INSERT INTO t(a) VALUES (1)"));
  const Job job = scene.lane.run(execute_many_request("INSERT OR ROLLBACK INTO t(a) VALUES (?)", {{2}, {1}}));
  expect_error(error_of(job), ErrorCode::kConstraint);
  cr_assert_eq(job.error->row, 1);
  cr_assert(!job.transaction_open);
  scene.lane.rollback();
  expect_text(scene.rows(), "");
}

Test(job_many, or_fail_keeps_nothing) {
  Scene scene;
  expect_error(error_of(scene.lane.run(execute_many_request("INSERT OR FAIL INTO t(a) VALUES (?), (1)", {{1}}))),
               ErrorCode::kConstraint);
  expect_text(scene.rows(), "");
}

Test(job_many, ignored_rows_are_not_counted) {
  Scene scene;
  const Answer answer =
      answer_of(scene.lane.run(execute_many_request("INSERT OR IGNORE INTO t(a) VALUES (?)", {{1}, {1}, {2}, {2}})));
  cr_assert_eq(answer.done->changes, 2u);
  cr_assert_eq(answer.done->last_insert_rowid, 2);
}

Test(job_many, a_deferred_foreign_key_undoes_all) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE child(parent REFERENCES t DEFERRABLE INITIALLY DEFERRED)"});
  const Job job = scene.lane.run(execute_many_request("INSERT INTO child VALUES (?)", {{1}}));
  expect_error(error_of(job), ErrorCode::kConstraint, "FOREIGN KEY");
  cr_assert(!job.transaction_open);
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM child"), "0");
}

Test(job_many, rows_have_no_place) {
  Scene scene;
  for (const std::string_view sql : {"INSERT INTO t(a, b) VALUES (?, ?) RETURNING id", "SELECT ?, ?"}) {
    const Job job = scene.lane.run(execute_many_request(sql, {{1, 2}}));
    expect_error(error_of(job), ErrorCode::kSql, "executeMany has no place for them");
  }
  expect_text(scene.rows(), "");
}

Test(job_many, an_error_in_the_sql_has_no_row) {
  Scene scene;
  const Job job = scene.lane.run(execute_many_request("INSERT INTO missing VALUES (?)", {{1}}));
  expect_error(error_of(job), ErrorCode::kSql, "no such table");
  cr_assert_eq(job.error->row, -1);
}

Test(job_many, goes_on_after_a_savepoint_of_the_same_name) {
  Scene scene;
  scene.lane.begin();
  scene.lane.savepoint(SavepointAction::kSet, "skua_many");
  (void)answer_of(scene.lane.run(execute_many_request(kInsert, {{1, 1}})));
  expect_error(error_of(scene.lane.run(execute_many_request(kInsert, {{2, 2}, {1, 1}}))), ErrorCode::kConstraint);
  scene.lane.savepoint(SavepointAction::kRollbackTo, "skua_many");
  cr_assert(scene.lane.commit().error == nullptr);
  expect_text(scene.rows(), "");
}

Test(job_many, a_stream_of_the_same_transaction_goes_on_after_a_failure) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE source(a)"});
  scene.lane.begin();
  (void)answer_of(scene.lane.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
                                     "INSERT INTO source SELECT i FROM n"));
  const auto stream = execute_request("SELECT a FROM source");
  Job job = scene.lane.run(stream);
  Answer answer;
  add_answer(job, answer);
  expect_error(error_of(scene.lane.run(execute_many_request(kInsert, {{2, 2}, {2, 1}}))), ErrorCode::kConstraint);
  while (job.cursor_open) {
    job = scene.lane.run(JobKind::kContinue, stream);
    add_answer(job, answer);
  }
  cr_assert_eq(answer.rows.size(), 9999u);
}
