#include <criterion/criterion.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::Answer;
using skua::test::CoreClient;
using skua::test::CoreWorld;

const Answer& answer_of(const CoreClient& client, std::uint64_t id) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  return *answer;
}

void expect_error(const CoreClient& client, std::uint64_t id, ErrorCode code) {
  const Answer& answer = answer_of(client, id);
  cr_assert(answer.error.has_value());
  cr_expect(answer.error->code == code, "%s: %s", std::string(to_string(answer.error->code)).c_str(),
            answer.error->message.c_str());
}

void expect_success(const CoreClient& client, std::uint64_t id) {
  cr_expect(not answer_of(client, id).error.has_value());
}

// The writer lane is free when somebody else's write runs at once.
void expect_lane_free(CoreWorld& world) {
  CoreClient& other = world.connect();
  const std::size_t before = world.job_count();
  const auto id = world.execute(other, "DELETE FROM t");
  cr_assert(world.job_count() == before + 1, "the writer lane is taken");
  world.succeed(before);
  expect_success(other, id);
}

}  // namespace

Test(transaction_manager, begin_statements_and_commit_can_leave_in_one_write) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto begin = world.begin(client, 1);
  const auto insert = world.execute(client, "INSERT INTO t VALUES (1)", 1);
  const auto commit = world.commit(client, 1);
  cr_expect(world.job_count() == 1, "one job at a time");
  world.settle();
  expect_success(client, begin);
  expect_success(client, insert);
  expect_success(client, commit);
  expect_lane_free(world);
}

Test(transaction_manager, owns_the_lane_until_it_ends) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto write = world.execute(other, "DELETE FROM t");
  cr_expect(world.job_count() == 0);
  world.commit(client, 1);
  world.settle();
  expect_success(other, write);
}

Test(transaction_manager, commit_is_refused_while_rows_stream) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto stream = world.execute(client, "SELECT * FROM big", 1, 0, 1);
  world.stream(5'000);
  expect_error(client, world.commit(client, 1), ErrorCode::kTransactionState);
  world.grant(client, stream, 1'000'000);
  world.succeed();
  const auto commit = world.commit(client, 1);
  world.settle();
  expect_success(client, commit);
}

Test(transaction_manager, a_statement_may_run_while_an_earlier_cursor_waits_for_credit) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  world.execute(client, "SELECT * FROM big", 1, 0, 1);
  world.stream(5'000);
  const auto update = world.execute(client, "UPDATE t SET a = 1", 1);
  world.settle();
  expect_success(client, update);
}

Test(transaction_manager, rollback_ends_its_streams) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto stream = world.execute(client, "SELECT * FROM big", 1, 0, 1);
  world.stream(5'000);
  const auto rollback = world.rollback(client, 1);
  world.settle();
  expect_success(client, rollback);
  expect_error(client, stream, ErrorCode::kTransactionAborted);
  expect_lane_free(world);
}

Test(transaction_manager, everything_is_refused_after_a_server_side_rollback_until_rollback) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto insert = world.execute(client, "INSERT OR ROLLBACK INTO t VALUES (1)", 1);
  world.fail(ErrorCode::kConstraint, false);
  expect_error(client, insert, ErrorCode::kConstraint);
  cr_expect(answer_of(client, insert).error->transaction == TransactionState::kAborted);
  expect_error(client, world.execute(client, "INSERT INTO t VALUES (2)", 1), ErrorCode::kTransactionAborted);
  expect_error(client, world.commit(client, 1), ErrorCode::kTransactionAborted);
  expect_lane_free(world);
  expect_success(client, world.rollback(client, 1));
  expect_error(client, world.execute(client, "SELECT 1", 1), ErrorCode::kTransactionState);
}

Test(transaction_manager, a_failed_statement_leaves_the_transaction_open_in_keep_mode) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto insert = world.execute(client, "INSERT INTO t VALUES (1)", 1);
  world.fail(ErrorCode::kConstraint, true);
  cr_expect(answer_of(client, insert).error->transaction == TransactionState::kOpen);
  const auto commit = world.commit(client, 1);
  world.settle();
  expect_success(client, commit);
}

Test(transaction_manager, in_abort_mode_a_failure_stops_what_was_sent_behind_it) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1, false, false);
  world.execute(client, "INSERT INTO t VALUES (1)", 1);
  const auto commit = world.commit(client, 1);
  world.succeed();
  cr_expect(world.job().rollback_on_error);
  world.fail(ErrorCode::kConstraint, true);
  expect_error(client, commit, ErrorCode::kTransactionAborted);
  expect_lane_free(world);
}

Test(transaction_manager, in_abort_mode_a_request_that_never_reached_a_lane_counts_too) {
  const std::string bad[] = {"SELECT 1 -- too long" + std::string(kSqlBytesMax, 'x'), "ROLLBACK TOO s", "RELEASE nobody", "BEGIN"};
  for (const std::string& sql : bad) {
    CoreWorld world;
    CoreClient& client = world.connect();
    world.begin(client, 1, false, false);
    world.settle();
    const auto refused = world.execute(client, sql, 1);
    cr_assert(answer_of(client, refused).error.has_value(), "%s", sql.c_str());
    cr_expect(answer_of(client, refused).error->transaction == TransactionState::kAborted, "%s", sql.c_str());
    const auto commit = world.commit(client, 1);
    world.settle();
    expect_error(client, commit, ErrorCode::kTransactionAborted);
    expect_lane_free(world);
  }
}

Test(transaction_manager, in_keep_mode_a_refused_request_says_that_the_transaction_is_open) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto refused = world.execute(client, "ROLLBACK TOO s", 1);
  cr_expect(answer_of(client, refused).error->transaction == TransactionState::kOpen);
  const auto commit = world.commit(client, 1);
  world.settle();
  expect_success(client, commit);
}

Test(transaction_manager, a_refused_commit_keeps_the_transaction) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto commit = world.commit(client, 1);
  world.fail(ErrorCode::kConstraint, true);
  expect_error(client, commit, ErrorCode::kConstraint);
  cr_expect(answer_of(client, commit).error->transaction == TransactionState::kOpen);
  const auto rollback = world.rollback(client, 1);
  world.settle();
  expect_success(client, rollback);
}

Test(transaction_manager, a_begin_that_is_cancelled_while_it_waits_aborts_its_transaction) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.execute(other, "DELETE FROM t");
  const auto begin = world.begin(client, 1);
  const auto insert = world.execute(client, "INSERT INTO t VALUES (1)", 1);
  world.cancel(client, begin);
  expect_error(client, begin, ErrorCode::kCancelled);
  expect_error(client, insert, ErrorCode::kTransactionAborted);
  expect_success(client, world.rollback(client, 1));
  world.settle();
  expect_lane_free(world);
}

Test(transaction_manager, in_abort_mode_a_statement_that_is_stopped_before_the_begin_has_run_counts_too) {
  for (const bool lane_is_granted : {false, true}) {
    CoreWorld world;
    CoreClient& client = world.connect();
    CoreClient& other = world.connect();
    if (!lane_is_granted) world.begin(other, 1);
    const auto begin = world.begin(client, 1, false, false);
    const auto first = world.execute(client, "INSERT INTO t VALUES (1)", 1);
    const auto second = world.execute(client, "INSERT INTO t VALUES (2)", 1);
    const auto commit = world.commit(client, 1);
    world.cancel(client, second);
    expect_error(client, second, ErrorCode::kCancelled);
    cr_expect(answer_of(client, second).error->transaction == TransactionState::kAborted);
    if (!lane_is_granted) {
      world.settle();
      world.commit(other, 1);
    }
    world.settle();
    expect_success(client, begin);
    expect_error(client, first, ErrorCode::kTransactionAborted);
    expect_error(client, commit, ErrorCode::kTransactionAborted);
    world.rollback(client, 1);
    expect_lane_free(world);
  }
}

Test(transaction_manager, in_keep_mode_a_statement_that_is_stopped_before_the_begin_has_run_is_left_out) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(other, 1);
  world.begin(client, 1);
  const auto first = world.execute(client, "INSERT INTO t VALUES (1)", 1);
  const auto second = world.execute(client, "INSERT INTO t VALUES (2)", 1);
  const auto commit = world.commit(client, 1);
  world.cancel(client, second);
  expect_error(client, second, ErrorCode::kCancelled);
  cr_expect(answer_of(client, second).error->transaction == TransactionState::kOpen);
  world.settle();
  world.commit(other, 1);
  world.settle();
  expect_success(client, first);
  expect_success(client, commit);
}

Test(transaction_manager, in_abort_mode_a_stream_that_is_stopped_between_its_batches_counts_too) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1, false, false);
  world.settle();
  const auto stream = world.execute(client, "SELECT * FROM big", 1);
  const auto commit = world.commit(client, 1);
  world.cancel(client, stream);
  cr_expect(client.answer_to(stream) == nullptr, "its job runs");
  world.stream(1'000);
  expect_error(client, stream, ErrorCode::kCancelled);
  cr_expect(answer_of(client, stream).error->transaction == TransactionState::kAborted);
  world.settle();
  expect_error(client, commit, ErrorCode::kTransactionAborted);
}

Test(transaction_manager, in_abort_mode_a_stream_that_gets_no_credit_takes_its_transaction_with_it) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1, true, false);
  world.settle();
  const auto stream = world.execute(client, "SELECT * FROM big", 1, 0, 1);
  world.stream(5'000);
  for (std::uint64_t ms = 0; ms < Limits{}.stream_idle_ms_max; ms += Limits{}.transaction_idle_ms_max / 2) {
    const auto used = world.execute(client, "SELECT 1", 1);
    world.settle();
    expect_success(client, used);
    world.pass_ms(Limits{}.transaction_idle_ms_max / 2);
  }
  expect_error(client, stream, ErrorCode::kLimit);
  cr_expect(answer_of(client, stream).error->transaction == TransactionState::kAborted);
  world.settle();
  const auto commit = world.commit(client, 1);
  expect_error(client, commit, ErrorCode::kTransactionAborted);
}

Test(transaction_manager, a_read_that_is_stopped_while_it_runs_does_not_wait_for_credit_with_its_last_rows) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto read = world.execute(client, "SELECT * FROM big", 1, 0, 1);
  world.cancel(client, read);
  world.succeed_with_rows(5'000);
  expect_error(client, read, ErrorCode::kCancelled);
  const auto commit = world.commit(client, 1);
  world.settle();
  expect_success(client, commit);
}

Test(transaction_manager, a_session_that_dies_in_any_state_gives_the_lane_back) {
  for (int state = 0; state < 5; ++state) {
    CoreWorld world;
    CoreClient& client = world.connect();
    CoreClient& other = world.connect();
    if (state == 0) world.execute(other, "DELETE FROM t");  // waiting
    world.begin(client, 1);
    if (state >= 2) world.succeed();                                     // open
    if (state == 3) world.execute(client, "INSERT INTO t VALUES (1)", 1);  // running
    if (state == 4) world.commit(client, 1);                             // ending
    world.disconnect(client);
    world.settle();
    expect_lane_free(world);
  }
}

Test(transaction_manager, a_daemon_that_stops_in_any_state_leaks_nothing) {
  for (int state = 0; state < 4; ++state) {
    CoreWorld world;
    CoreClient& client = world.connect();
    world.begin(client, 1, state % 2 == 1);
    if (state >= 2) {
      world.succeed();
      world.rollback(client, 1);
    }
    loop_thread.assert_here();
    world.disconnect(client);
    // Without the job's end; LeakSanitizer looks at what is left.
    world.dispatcher.reset();
    world.executor.jobs.clear();
  }
}

Test(transaction_manager, an_idle_transaction_is_rolled_back_and_says_why) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  world.pass_ms(Limits{}.transaction_idle_ms_max - 1);
  cr_expect(world.job_count() == 0);
  world.pass_ms(2);
  cr_assert(world.job_count() == 1);
  cr_expect(world.job().kind == JobKind::kRollback);
  world.settle();
  const auto late = world.execute(client, "SELECT 1", 1);
  expect_error(client, late, ErrorCode::kTransactionAborted);
  cr_expect(answer_of(client, late).error->message.find("transaction_idle_ms_max") != std::string::npos);
}

Test(transaction_manager, a_transaction_that_is_used_is_not_idle) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  for (int i = 0; i < 4; ++i) {
    world.pass_ms(Limits{}.transaction_idle_ms_max / 2 + 1);
    const auto id = world.execute(client, "SELECT 1", 1);
    world.settle();
    expect_success(client, id);
  }
}

Test(transaction_manager, a_transaction_has_a_total_time_even_if_it_is_used) {
  Limits limits;
  limits.transaction_total_ms_max = 1'000;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.settle();
  const auto running = world.execute(client, "UPDATE t SET a = 1", 1);
  world.pass_ms(1'001);
  cr_expect(world.job().request->token.reason() == CancelReason::kLimit);
  world.fail(ErrorCode::kLimit, false);
  expect_error(client, running, ErrorCode::kLimit);
  expect_lane_free(world);
}

Test(transaction_manager, savepoint_outside_of_a_transaction_opens_one_and_its_release_commits) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "SAVEPOINT a");
  cr_expect(world.job().kind == JobKind::kBegin);
  world.succeed();
  cr_expect(world.job().kind == JobKind::kSavepoint);
  world.succeed();
  world.execute(client, "SAVEPOINT b");
  world.succeed();
  world.execute(client, "RELEASE b");
  cr_expect(world.job().kind == JobKind::kSavepoint);
  world.succeed();
  const auto release = world.execute(client, "RELEASE a");
  cr_expect(world.job().kind == JobKind::kCommit);
  world.succeed();
  expect_success(client, release);
  expect_lane_free(world);
}

Test(transaction_manager, begin_as_text_opens_the_sessions_own_transaction) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "BEGIN");
  world.settle();
  world.execute(client, "SELECT 1");
  cr_expect(world.job().transaction != nullptr);
  world.settle();
  expect_error(client, world.execute(client, "BEGIN"), ErrorCode::kTransactionState);
  world.execute(client, "COMMIT");
  world.settle();
  expect_lane_free(world);
  expect_error(client, world.execute(client, "COMMIT"), ErrorCode::kTransactionState);
}

Test(transaction_manager, transactions_of_a_session_at_their_limit) {
  Limits limits;
  limits.transactions_per_session_max = 2;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  world.begin(client, 1, true);
  world.begin(client, 2, true);
  const auto third = world.begin(client, 3, true);
  expect_error(client, third, ErrorCode::kLimit);
  world.settle();
}

Test(transaction_manager, savepoints_at_their_limit_and_unknown_ones) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "BEGIN");
  world.settle();
  for (std::size_t i = 0; i < kSavepointsMax; ++i) {
    const auto id = world.execute(client, "SAVEPOINT s" + std::to_string(i));
    world.settle();
    expect_success(client, id);
  }
  expect_error(client, world.execute(client, "SAVEPOINT more"), ErrorCode::kLimit);
  expect_error(client, world.execute(client, "RELEASE nobody"), ErrorCode::kTransactionState);
}

Test(transaction_manager, a_read_transaction_uses_a_reader_and_leaves_the_writer_alone) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1, true);
  cr_expect(world.job().read_only);
  cr_expect(world.job().slot != kWriterSlot);
  world.settle();
  expect_lane_free(world);
  const auto commit = world.commit(client, 1);
  world.settle();
  expect_success(client, commit);
}

Test(transaction_manager, a_deferred_begin_that_ran_out_of_time_while_it_ran_is_rolled_back) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto begin = world.send(client, [](wire::Request::Builder request) {
    request.setTransaction(1);
    request.setDeadlineMs(10);
    request.initBegin();
  });
  world.pass_ms(11);
  world.settle();
  cr_expect(client.terminal_answers_to(begin) == 1);
  expect_success(client, begin);
  const auto rollback = world.rollback(client, 1);
  world.settle();
  expect_success(client, rollback);
  expect_lane_free(world);
}
