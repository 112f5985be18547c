// JobRunner: begin, commit, rollback, savepoints, and what SQLite does to a transaction by itself.
#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::string_view kEndlessRows =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

const std::vector<std::string> kSchema = {
    "CREATE TABLE t(a UNIQUE)", "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
    "CREATE TABLE child(parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TRIGGER no_nine BEFORE INSERT ON t WHEN NEW.a = 9 BEGIN SELECT RAISE(ROLLBACK, 'nine'); END"};

// A write transaction in which 1 was inserted into t.
struct Scene {
  explicit Scene() {
    scratch.run(kSchema);
    const Job begin = lane.begin();
    cr_assert(begin.error == nullptr && begin.transaction_open);
    (void)answer_of(lane.execute("INSERT INTO t VALUES (1)"));
  }
  // What others see.
  std::string committed() { return text_of(scratch.reader(7), "SELECT a FROM t ORDER BY a"); }

  ScratchDatabase scratch;
  Lane lane{scratch.writer()};
};

}  // namespace

Test(job_transaction, a_commit_makes_all_of_it_visible_at_once) {
  Scene scene;
  const Summary summary = *answer_of(scene.lane.execute("INSERT INTO t VALUES (2)")).done;
  cr_assert_eq(summary.transaction, TransactionState::kOpen);
  expect_text(text_of(scene.lane.execute("SELECT a FROM t ORDER BY a")), "1\n2");
  expect_text(scene.committed(), "");
  const Job commit = scene.lane.commit();
  cr_assert(commit.error == nullptr && !commit.transaction_open);
  expect_text(scene.committed(), "1\n2");
}

Test(job_transaction, a_rollback_leaves_no_trace) {
  Scene scene;
  const Job rollback = scene.lane.rollback();
  cr_assert(rollback.error == nullptr && !rollback.transaction_open);
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM t"), "0");
}

Test(job_transaction, a_rollback_needs_no_request_and_no_transaction) {
  ScratchDatabase scratch;
  const Job job = Lane(scratch.writer()).run(JobKind::kRollback, nullptr);
  cr_assert(job.error == nullptr && !job.transaction_open);
}

Test(job_transaction, rows_of_a_write_inside_come_batch_by_batch) {
  Scene scene;
  const auto request = execute_request("WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
                                       "INSERT INTO t SELECT i FROM n RETURNING a");
  Job job = scene.lane.run(request);
  cr_assert(job.cursor_open && job.transaction_open);
  Answer answer;
  add_answer(job, answer);
  while (job.cursor_open) {
    // Another statement in between does not disturb what the first one tells of itself.
    const Summary between = *answer_of(scene.lane.execute("INSERT INTO parent DEFAULT VALUES")).done;
    cr_assert_eq(between.changes, 1u);
    job = scene.lane.run(JobKind::kContinue, request);
    add_answer(job, answer);
  }
  cr_assert_eq(answer.rows.size(), 9900u);
  cr_assert_eq(answer.done->changes, 9900u);
  cr_assert_eq(answer.done->last_insert_rowid, 9901);
  cr_assert_eq(answer.done->transaction, TransactionState::kOpen);
}

Test(job_transaction, a_statement_that_fails_undoes_itself_only) {
  Scene scene;
  const Job job = scene.lane.execute("INSERT INTO t VALUES (2), (1)");
  expect_error(error_of(job), ErrorCode::kConstraint);
  cr_assert(job.transaction_open);
  scene.lane.commit();
  expect_text(scene.committed(), "1");
}

Test(job_transaction, a_statement_that_fails_undoes_everything_if_that_was_asked) {
  Scene scene;
  scene.lane.rollback_on_error = true;
  const Job job = scene.lane.execute("SELECT missing");
  expect_error(error_of(job), ErrorCode::kSql);
  cr_assert(!job.transaction_open);
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM t"), "0");
}

Test(job_transaction, what_rolls_back_in_sqlite_is_told_and_closes_the_cursors) {
  for (const std::string_view sql : {"INSERT OR ROLLBACK INTO t VALUES (1)", "INSERT INTO t VALUES (9)"}) {
    Scene scene;
    const auto stream = execute_request(kEndlessRows);
    cr_assert(scene.lane.run(stream).cursor_open);
    const Job job = scene.lane.execute(sql);
    expect_error(error_of(job), ErrorCode::kConstraint);
    cr_assert(!job.transaction_open);
    cr_assert(scene.scratch.writer().find_cursor(stream->serial) == nullptr);
    expect_text(scene.committed(), "");
  }
}

Test(job_transaction, a_commit_closes_the_cursors) {
  Scene scene;
  const auto stream = execute_request(kEndlessRows);
  cr_assert(scene.lane.run(stream).cursor_open);
  const Job commit = scene.lane.commit();
  cr_assert(commit.error == nullptr && !commit.transaction_open);
  cr_assert(scene.scratch.writer().find_cursor(stream->serial) == nullptr);
  expect_text(scene.committed(), "1");
}

Test(job_transaction, a_rollback_closes_the_cursors) {
  Scene scene;
  const auto stream = execute_request(kEndlessRows);
  cr_assert(scene.lane.run(stream).cursor_open);
  scene.lane.rollback();
  cr_assert(scene.scratch.writer().find_cursor(stream->serial) == nullptr);
}

Test(job_transaction, a_deferred_foreign_key_fails_the_commit_and_the_transaction_goes_on) {
  Scene scene;
  (void)answer_of(scene.lane.execute("INSERT INTO child VALUES (5)"));
  const Job commit = scene.lane.commit();
  expect_error(error_of(commit), ErrorCode::kConstraint, "FOREIGN KEY");
  cr_assert(commit.transaction_open);
  expect_text(scene.committed(), "");
  (void)answer_of(scene.lane.execute("INSERT INTO parent VALUES (5)"));
  cr_assert(scene.lane.commit().error == nullptr);
  expect_text(scene.committed(), "1");
}

Test(job_transaction, a_deferred_foreign_key_fails_a_write_outside_of_a_transaction_at_once) {
  ScratchDatabase scratch;
  scratch.run(kSchema);
  Lane lane(scratch.writer());
  for (const std::string_view sql : {"INSERT INTO child VALUES (5)", "INSERT INTO child VALUES (5) RETURNING parent"}) {
    const Job job = lane.execute(sql);
    expect_error(error_of(job), ErrorCode::kConstraint, "FOREIGN KEY");
    cr_assert(!job.transaction_open);
  }
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM child"), "0");
}

Test(job_transaction, savepoints_are_set_rolled_back_to_and_released) {
  Scene scene;
  const auto savepoint = [&](SavepointAction action, std::string_view name) {
    const Job job = scene.lane.savepoint(action, name);
    cr_assert(job.error == nullptr, "%s", job.error->message.c_str());
    cr_assert(job.transaction_open);
  };
  savepoint(SavepointAction::kSet, "outer");
  (void)answer_of(scene.lane.execute("INSERT INTO t VALUES (2)"));
  savepoint(SavepointAction::kSet, "with \"quotes\" and ümläut");
  (void)answer_of(scene.lane.execute("INSERT INTO t VALUES (3)"));
  savepoint(SavepointAction::kRollbackTo, "with \"quotes\" and ümläut");
  savepoint(SavepointAction::kRelease, "with \"quotes\" and ümläut");
  expect_text(text_of(scene.lane.execute("SELECT a FROM t ORDER BY a")), "1\n2");
  savepoint(SavepointAction::kRollbackTo, "outer");
  savepoint(SavepointAction::kRelease, "outer");
  scene.lane.commit();
  expect_text(scene.committed(), "1");
}

Test(job_transaction, a_savepoint_that_is_not_there_is_an_error_and_changes_nothing) {
  Scene scene;
  for (const SavepointAction action : {SavepointAction::kRelease, SavepointAction::kRollbackTo}) {
    const Job job = scene.lane.savepoint(action, "missing");
    expect_error(error_of(job), ErrorCode::kSql, "no such savepoint: missing");
    cr_assert(job.transaction_open);
  }
}

Test(job_transaction, releasing_a_savepoint_does_not_check_deferred_foreign_keys) {
  Scene scene;
  scene.lane.savepoint(SavepointAction::kSet, "s");
  (void)answer_of(scene.lane.execute("INSERT INTO child VALUES (5)"));
  cr_assert(scene.lane.savepoint(SavepointAction::kRelease, "s").error == nullptr);
  expect_error(error_of(scene.lane.commit()), ErrorCode::kConstraint, "FOREIGN KEY");
}

Test(job_transaction, a_read_transaction_keeps_its_snapshot_and_refuses_to_write) {
  Scene scene;
  Lane reader(scene.scratch.reader());
  cr_assert(reader.begin(true).transaction_open);
  scene.lane.commit();
  expect_text(text_of(reader.execute("SELECT count(*) FROM t")), "0");
  const Job write = reader.execute("INSERT INTO t VALUES (7)");
  expect_error(error_of(write), ErrorCode::kReadOnly, "the transaction is read-only");
  cr_assert(write.transaction_open);
  expect_error(error_of(reader.run(execute_many_request("INSERT INTO t VALUES (?)", {{7}}))), ErrorCode::kReadOnly);
  expect_error(error_of(reader.run(program_request({{.sql = "INSERT INTO t VALUES (7)"}}))), ErrorCode::kReadOnly);
  cr_assert(!reader.commit().transaction_open);
  expect_text(text_of(reader.execute("SELECT count(*) FROM t")), "1");
}

Test(job_transaction, two_streams_of_one_transaction_run_side_by_side) {
  Scene scene;
  const auto first = execute_request(kEndlessRows);
  const auto second = execute_request(kEndlessRows);
  Answer of_first;
  Answer of_second;
  add_answer(scene.lane.run(first), of_first);
  add_answer(scene.lane.run(second), of_second);
  add_answer(scene.lane.run(JobKind::kContinue, first), of_first);
  cr_assert_gt(of_first.rows.size(), of_second.rows.size());
  cr_assert(of_second.rows[7] == of_first.rows[7]);
  expect_text(to_text(of_first.rows.back()[0]), std::to_string(of_first.rows.size()));
}

Test(job_transaction, vacuum_is_refused_inside) {
  Scene scene;
  const Job job = scene.lane.execute("VACUUM");
  expect_error(error_of(job), ErrorCode::kSql, "VACUUM");
  cr_assert(job.transaction_open);
  cr_assert(scene.lane.commit().error == nullptr);
}

Test(job_transaction, durability_is_that_of_the_transaction) {
  ScratchDatabase scratch;
  Lane lane(scratch.writer());
  lane.relaxed = true;
  lane.begin();
  expect_text(text_of(lane.execute("PRAGMA synchronous")), "1");
  lane.commit();
  lane.relaxed = false;
  lane.begin();
  expect_text(text_of(lane.execute("PRAGMA synchronous")), "2");
  lane.rollback();
}
