// JobRunner: programs, atomic and independent, and the conditions of their steps.
#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;
using wire::Outcome;

namespace {

struct Scene {
  Scene() { scratch.run({"CREATE TABLE t(a UNIQUE)", "INSERT INTO t VALUES (1)"}); }
  std::string rows() { return text_of(scratch.writer(), "SELECT a FROM t ORDER BY a"); }
  Job atomic(const std::vector<ProgramStep>& steps) { return lane.run(program_request(steps)); }
  Job independent(const std::vector<ProgramStep>& steps) { return lane.run(program_request(steps, true)); }

  ScratchDatabase scratch;
  Lane lane{scratch.writer()};
};

ProgramStep insert(std::int64_t value) { return {.sql = "INSERT INTO t VALUES (?)", .parameters = {value}}; }
const ProgramStep kFails = {.sql = "INSERT INTO t VALUES (1)"};
const ProgramStep kFailsAllowed = {.sql = "INSERT INTO t VALUES (1)", .may_fail = true};

}  // namespace

Test(job_program, answers_each_step) {
  Scene scene;
  const Job job = scene.atomic({insert(2), {.sql = "SELECT a, a * 0.5 AS half FROM t ORDER BY a"},
                                {.sql = "UPDATE t SET a = a + 10"}, {.sql = "CREATE TABLE x(a)"}});
  cr_assert(!job.transaction_open);
  const std::vector<StepAnswer> steps = program_answer_of(job);
  cr_assert_eq(steps.size(), 4u);
  cr_assert_eq(steps[0].answer.done->changes, 1u);
  cr_assert_eq(steps[0].answer.done->last_insert_rowid, 2);
  expect_text(to_text(steps[1].answer.rows), "1|0.5\n2|1.0");
  expect_text(steps[1].answer.columns[1].name, "half");
  cr_assert_eq(steps[1].answer.done->row_count, 2u);
  cr_assert_eq(steps[1].answer.done->changes, 0u);
  cr_assert_eq(steps[2].answer.done->changes, 2u);
  cr_assert_eq(steps[2].answer.done->last_insert_rowid, 0);
  cr_assert_eq(steps[3].answer.done->changes, 0u);
  expect_text(text_of(scene.scratch.reader(), "SELECT a FROM t ORDER BY a"), "11\n12");
}

Test(job_program, an_atomic_program_does_all_or_nothing) {
  Scene scene;
  const Job job = scene.atomic({insert(2), kFails, insert(3)});
  expect_error(error_of(job), ErrorCode::kConstraint, "step 1: UNIQUE");
  cr_assert_eq(job.error->row, 1);
  cr_assert(!job.transaction_open);
  expect_text(scene.rows(), "1");
}

Test(job_program, an_error_in_the_sql_of_a_step_undoes_all_too) {
  Scene scene;
  const Job job = scene.atomic({insert(2), {.sql = "INSERT INTO missing VALUES (1)"}});
  expect_error(error_of(job), ErrorCode::kSql, "step 1: no such table");
  expect_error(error_of(scene.atomic({insert(2), {.sql = "SELECT ?"}})), ErrorCode::kParameter, "step 1");
  expect_error(error_of(scene.atomic({insert(2), {.sql = "SELECT 1; SELECT 2"}})), ErrorCode::kSql, "step 1");
  expect_text(scene.rows(), "1");
}

Test(job_program, a_step_that_may_fail_undoes_itself_only) {
  Scene scene;
  const Job job = scene.atomic({insert(2), kFailsAllowed, insert(3)});
  expect_text(program_text_of(job), "();error;()");
  const Error error = *program_answer_of(job)[1].error;
  expect_error(error, ErrorCode::kConstraint, "UNIQUE constraint failed");
  cr_assert_eq(error.row, 1);
  expect_text(scene.rows(), "1\n2\n3");
}

Test(job_program, a_step_that_may_fail_leaves_nothing_of_or_fail) {
  Scene scene;
  const Job job = scene.atomic({{.sql = "INSERT OR FAIL INTO t VALUES (5), (1)", .may_fail = true}, insert(3)});
  expect_text(program_text_of(job), "error;()");
  expect_text(scene.rows(), "1\n3");
}

Test(job_program, a_step_that_rolls_back_in_sqlite_ends_the_program_even_if_it_may_fail) {
  Scene scene;
  const Job job =
      scene.atomic({insert(2), {.sql = "INSERT OR ROLLBACK INTO t VALUES (1)", .may_fail = true}, insert(3)});
  expect_error(error_of(job), ErrorCode::kConstraint, "step 1");
  cr_assert(!job.transaction_open);
  expect_text(scene.rows(), "1");
}

Test(job_program, independent_steps_stand_each_for_itself) {
  Scene scene;
  const Job job = scene.independent({insert(2), kFails, insert(3)});
  expect_text(program_text_of(job), "();error;()");
  cr_assert(!job.transaction_open);
  expect_text(text_of(scene.scratch.reader(), "SELECT a FROM t ORDER BY a"), "1\n2\n3");
}

Test(job_program, an_independent_step_with_a_deferred_violation_fails_alone) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE child(parent REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)"});
  const Job job = scene.independent({insert(2), {.sql = "INSERT INTO child VALUES (77)"}, insert(3)});
  expect_text(program_text_of(job), "();error;()");
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM child"), "0");
}

Test(job_program, an_atomic_program_with_a_deferred_violation_is_undone) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE child(parent REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)"});
  const Job job = scene.atomic({insert(2), {.sql = "INSERT INTO child VALUES (77)"}});
  expect_error(error_of(job), ErrorCode::kConstraint, "FOREIGN KEY");
  cr_assert(!job.transaction_open);
  expect_text(scene.rows(), "1");
}

Test(job_program, a_step_runs_only_if_the_outcomes_it_requires_are_so) {
  const ProgramStep changes = insert(50);
  const ProgramStep changes_none = {.sql = "DELETE FROM t WHERE a = 99"};
  const ProgramStep returns = {.sql = "SELECT 1"};
  const ProgramStep returns_none = {.sql = "SELECT 1 WHERE 0"};
  const ProgramStep skipped = {.sql = "SELECT 1", .requirements = {{0, Outcome::FAILED}}};
  const struct {
    const char* name;
    ProgramStep step;
    std::vector<Outcome> holding;
  } cases[] = {
      {"changes", changes, {Outcome::SUCCEEDED, Outcome::CHANGED_ROWS, Outcome::RETURNED_NONE}},
      {"changes none", changes_none, {Outcome::SUCCEEDED, Outcome::CHANGED_NONE, Outcome::RETURNED_NONE}},
      {"returns", returns, {Outcome::SUCCEEDED, Outcome::CHANGED_NONE, Outcome::RETURNED_ROWS}},
      {"returns none", returns_none, {Outcome::SUCCEEDED, Outcome::CHANGED_NONE, Outcome::RETURNED_NONE}},
      {"fails", kFailsAllowed, {Outcome::FAILED}},
      {"skipped", skipped, {Outcome::SKIPPED}},
  };
  const Outcome outcomes[] = {Outcome::SUCCEEDED,     Outcome::FAILED,       Outcome::SKIPPED,      Outcome::CHANGED_ROWS,
                              Outcome::RETURNED_ROWS, Outcome::CHANGED_NONE, Outcome::RETURNED_NONE};
  for (const auto& c : cases) {
    for (const Outcome outcome : outcomes) {
      Scene scene;
      // The step before it changed a row, so that a count left over from it would show.
      const Job job = scene.atomic({insert(2), c.step, {.sql = "SELECT 'ran'", .requirements = {{1, outcome}}}});
      const bool ran = !program_answer_of(job)[2].skipped;
      const bool wanted = std::find(c.holding.begin(), c.holding.end(), outcome) != c.holding.end();
      cr_expect_eq(ran, wanted, "%s, outcome %d", c.name, static_cast<int>(outcome));
    }
  }
}

Test(job_program, all_requirements_must_hold) {
  Scene scene;
  const std::vector<ProgramStep> steps = {
      insert(2),
      {.sql = "SELECT 1 WHERE 0"},
      {.sql = "SELECT 'both'", .requirements = {{0, Outcome::CHANGED_ROWS}, {1, Outcome::RETURNED_NONE}}},
      {.sql = "SELECT 'one'", .requirements = {{0, Outcome::CHANGED_ROWS}, {1, Outcome::RETURNED_ROWS}}}};
  expect_text(program_text_of(scene.atomic(steps)), "();();(both);skipped");
}

Test(job_program, independent_steps_have_conditions_too) {
  Scene scene;
  const Job job = scene.independent({kFails,
                                     {.sql = "INSERT INTO t VALUES (8)", .requirements = {{0, Outcome::FAILED}}},
                                     {.sql = "INSERT INTO t VALUES (9)", .requirements = {{0, Outcome::SUCCEEDED}}}});
  expect_text(program_text_of(job), "error;();skipped");
  expect_text(scene.rows(), "1\n8");
}

Test(job_program, inside_of_a_transaction_an_error_undoes_the_program_only) {
  Scene scene;
  scene.lane.begin();
  (void)answer_of(scene.lane.execute("INSERT INTO t VALUES (2)"));
  const Job failed = scene.atomic({insert(3), kFails});
  expect_error(error_of(failed), ErrorCode::kConstraint, "step 1");
  cr_assert(failed.transaction_open);
  const Job done = scene.atomic({insert(4), kFailsAllowed});
  expect_text(program_text_of(done), "();error");
  cr_assert(done.transaction_open);
  expect_text(program_text_of(scene.independent({insert(5), kFails})), "();error");
  expect_text(text_of(scene.scratch.reader(), "SELECT a FROM t"), "1");
  cr_assert(scene.lane.commit().error == nullptr);
  expect_text(scene.rows(), "1\n2\n4\n5");
}

Test(job_program, inside_of_a_transaction_a_rollback_in_sqlite_ends_the_transaction) {
  Scene scene;
  scene.lane.begin();
  const Job job = scene.atomic({insert(3), {.sql = "INSERT OR ROLLBACK INTO t VALUES (1)"}});
  expect_error(error_of(job), ErrorCode::kConstraint);
  cr_assert(!job.transaction_open);
  scene.lane.rollback();
  expect_text(scene.rows(), "1");
}

Test(job_program, reads_run_on_a_reader_in_one_snapshot) {
  Scene scene;
  Lane reader(scene.scratch.reader());
  const Job job = reader.run(program_request({{.sql = "SELECT count(*) FROM t"}, {.sql = "SELECT a FROM t"}}));
  expect_text(program_text_of(job), "(1);(1)");
  cr_assert(!job.transaction_open);
}

Test(job_program, a_write_on_a_reader_does_nothing_and_asks_for_the_writer) {
  Scene scene;
  Lane reader(scene.scratch.reader());
  for (const bool independent : {false, true}) {
    const Job job = reader.run(program_request({{.sql = "SELECT a FROM t"}, insert(2)}, independent));
    cr_assert(job.needs_writer && !job.transaction_open);
    cr_assert(job.frames.empty() && !job.ended && job.error == nullptr);
  }
  expect_text(scene.rows(), "1");
}

Test(job_program, no_steps_are_a_program) {
  Scene scene;
  cr_assert_eq(program_answer_of(scene.atomic({})).size(), 0u);
  cr_assert(!scene.scratch.writer().in_transaction());
}

Test(job_program, results_are_limited_and_a_program_that_passes_the_limit_is_undone) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE big(a)"});
  const std::vector<ProgramStep> steps = {{.sql = "SELECT 1"},
                                          {.sql = "INSERT INTO big VALUES (zeroblob(1000)) RETURNING a", .may_fail = true}};
  // As the limit counts them: nine bytes for the integer, 1004 and one for the blob.
  scene.lane.held_bytes_max = 9 + 1005;
  (void)program_answer_of(scene.atomic(steps));
  scene.lane.held_bytes_max -= 1;
  expect_error(error_of(scene.atomic(steps)), ErrorCode::kLimit, "held_result_bytes_max");
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM big"), "1");
}

Test(job_program, an_independent_step_that_passes_the_limit_is_undone_and_those_before_it_are_not) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE big(a)"});
  scene.lane.held_bytes_max = 1000;
  const Job job = scene.independent(
      {insert(2), {.sql = "INSERT INTO big VALUES (zeroblob(900)), (zeroblob(900)) RETURNING a"}, insert(3)});
  expect_error(error_of(job), ErrorCode::kLimit, "step 1");
  expect_text(scene.rows(), "1\n2");
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM big"), "0");
}

Test(job_program, vacuum_and_attach_have_no_place) {
  Scene scene;
  expect_error(error_of(scene.atomic({{.sql = "VACUUM"}})), ErrorCode::kSql, "VACUUM");
  const Job job = scene.independent({{.sql = "VACUUM"}, {.sql = "ATTACH 'x' AS x"}, {.sql = "VACUUM INTO 'x'"},
                                     {.sql = "SELECT * FROM pragma_secure_delete"}, {.sql = "BEGIN"}});
  const std::vector<StepAnswer> steps = program_answer_of(job);
  expect_error(*steps[0].error, ErrorCode::kSql, "VACUUM");
  expect_error(*steps[1].error, ErrorCode::kAccess, "ATTACH");
  expect_error(*steps[2].error, ErrorCode::kSql, "VACUUM");
  expect_error(*steps[3].error, ErrorCode::kAccess, "PRAGMA secure_delete is not available");
  expect_error(*steps[4].error, ErrorCode::kAccess, "transaction control");
}
