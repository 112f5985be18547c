// WalBudget: when a log has to be emptied, who waits meanwhile, who is ended, and that everything goes on afterwards.
#include <criterion/criterion.h>

#include "tests/core/wal_scene.h"

using namespace skua;
using namespace skua::test;

Test(wal_budget, a_log_below_half_of_its_budget_is_left_alone) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.write(client, kWalBudget / 2);
  cr_expect(scene.world.job_count() == 0);
}

Test(wal_budget, a_log_that_can_be_emptied_disturbs_nobody) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.write(client, kWalBudget / 2 + 1);
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
  const auto read = scene.read(client);
  cr_assert(scene.world.job_count() == 1);
  scene.world.settle();
  expect_success(client, read);
  scene.world.pass_ms(2 * kWalGraceMs);
  cr_expect(client.answer_to(stream) == nullptr);
}

Test(wal_budget, a_read_that_ends_in_time_is_not_ended) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  const auto running = scene.read(client);
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs - 1);
  scene.world.succeed();
  expect_success(client, running);
  scene.world.grant(client, stream, 1'000'000);
  scene.world.succeed();
  expect_success(client, stream);
  scene.world.checkpoint(true);
  scene.world.pass_ms(kWalGraceMs);
  cr_expect(scene.world.job_count() == 0);
}

Test(wal_budget, a_parked_stream_is_ended_when_its_time_is_over) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs - 1);
  cr_expect(client.answer_to(stream) == nullptr);
  scene.world.pass_ms(1);
  expect_wal_error(client, stream, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.world.succeed();
  scene.world.checkpoint(true);
}

Test(wal_budget, a_running_read_is_stopped_by_its_token) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto read = scene.read(client);
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs);
  cr_assert(scene.world.job().request->token.reason() == CancelReason::kWalBudget);
  cr_expect(scene.world.job_count() == 1, "a checkpoint is in vain before it has stopped");
  scene.world.stream(5'000);  // it had just made a batch
  expect_wal_error(client, read, TransactionState::kNone);
  scene.world.succeed();
  scene.world.checkpoint(true);
}

Test(wal_budget, an_idle_read_transaction_is_rolled_back) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.world.begin(client, 1, true);
  scene.world.settle();
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs);
  cr_assert(scene.world.job().kind == JobKind::kRollback);
  scene.world.succeed();
  scene.world.checkpoint(true);
  const auto late = scene.world.execute(client, "SELECT 1", 1);
  const Answer& answer = answer_of(client, late);
  cr_assert(answer.error.has_value());
  cr_expect(answer.error->code == ErrorCode::kTransactionAborted);
  cr_expect(answer.error->message.find("wal_bytes_max") != std::string::npos);
  expect_success(client, scene.world.rollback(client, 1));
}

Test(wal_budget, a_stream_and_a_statement_of_a_read_transaction_are_told_why) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.world.begin(client, 1, true);
  scene.world.settle();
  const auto stream = scene.world.execute(client, "SELECT * FROM big", 1, 0, 1);
  scene.world.stream(5'000);
  const auto statement = scene.world.execute(client, "SELECT 1", 1);
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs);
  expect_wal_error(client, stream, TransactionState::kAborted);
  cr_assert(scene.world.job().request->token.reason() == CancelReason::kWalBudget);
  scene.world.fail(ErrorCode::kLimit, true);
  cr_expect(answer_of(client, statement).error->transaction == TransactionState::kAborted);
  scene.world.succeed();  // the rollback
  scene.world.checkpoint(true);
}

Test(wal_budget, an_open_read_transaction_may_go_on_in_its_time) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.world.begin(client, 1, true);
  scene.world.settle();
  scene.start_drain(client);
  const auto read = scene.world.execute(client, "SELECT 1", 1);
  scene.world.succeed();
  expect_success(client, read);
  const auto commit = scene.world.commit(client, 1);
  scene.world.succeed();
  expect_success(client, commit);
  scene.world.checkpoint(true);
}

Test(wal_budget, a_pinned_connection_counts_only_while_it_reads) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.world.execute(client, "CREATE TEMP TABLE t(a)");
  scene.world.settle();
  scene.park_stream(other);
  scene.start_drain(other);
  const auto read = scene.world.execute(client, "SELECT * FROM t");
  cr_expect(scene.world.job_count() == 0, "it waits like any other read");
  scene.world.pass_ms(kWalGraceMs);
  scene.world.succeed();
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, read);
}

Test(wal_budget, a_stream_on_a_pinned_connection_is_ended_and_the_connection_stays) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.world.execute(client, "CREATE TEMP TABLE t(a)");
  scene.world.settle();
  const auto stream = scene.park_stream(client);
  scene.start_drain(scene.world.connect());
  scene.world.pass_ms(kWalGraceMs);
  expect_wal_error(client, stream, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.world.succeed();
  scene.world.checkpoint(true);
  const auto read = scene.world.execute(client, "SELECT * FROM t");
  cr_expect(scene.world.job().pinned);
  scene.world.settle();
  expect_success(client, read);
}

Test(wal_budget, writes_go_on_until_the_log_is_at_its_budget) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  expect_success(client, scene.write(client, kWalBudget));
  expect_success(client, scene.write(client, kWalBudget + 1));
  const auto held = scene.world.execute(client, "DELETE FROM t");
  cr_expect(scene.world.job_count() == 0);
  scene.world.pass_ms(kWalGraceMs);
  scene.end_drain();
  expect_success(client, held);
}

Test(wal_budget, no_write_begins_when_the_grace_is_nearly_over) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs * 9 / 10 - 1);
  const auto last = scene.world.execute(client, "DELETE FROM t");
  cr_assert(scene.world.job_count() == 1);
  scene.world.pass_ms(1);
  const auto held = scene.world.execute(client, "DELETE FROM t");
  scene.world.succeed();
  expect_success(client, last);
  cr_assert(scene.world.job_count() == 0, "so that the lane is free when it is over");
  scene.world.pass_ms(kWalGraceMs / 10);
  expect_wal_error(client, stream, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.end_drain();
  expect_success(client, held);
}

Test(wal_budget, writes_held_back_by_the_end_of_a_grace_go_on_if_the_readers_end_by_themselves) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  scene.world.pass_ms(kWalGraceMs * 19 / 20);
  const auto held = scene.world.execute(client, "DELETE FROM t");
  cr_assert(scene.world.job_count() == 0);
  scene.world.grant(client, stream, 1'000'000);
  scene.world.succeed();
  expect_success(client, stream);
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, held);
  expect_success(client, scene.write(client, kWalBudget / 4));
}

Test(wal_budget, writes_go_one_group_ahead_while_a_drain_is_on) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  for (int i = 0; i < 5; ++i) scene.world.execute(client, "DELETE FROM t");
  cr_expect(scene.world.job_count() == 2, "%zu jobs", scene.world.job_count());
  scene.world.settle();
}

Test(wal_budget, a_write_transaction_is_waited_for_with_the_gate_open) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.park_stream(other);
  scene.world.begin(client, 1);
  scene.world.succeed();
  scene.world.log_bytes[0] = 2 * kWalBudget;
  const auto write = scene.world.execute(client, "DELETE FROM t", 1);
  scene.world.succeed();
  expect_success(client, write);
  const auto read = scene.read(other);
  cr_assert(scene.world.job_count() == 1, "no checkpoint, and no gate");
  scene.world.succeed();
  expect_success(other, read);
  // The next one waits, however soon it comes.
  const auto next = scene.world.begin(other, 1);
  scene.world.commit(client, 1);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()));
  scene.world.checkpoint(false);
  cr_expect(scene.world.job_count() == 0);
  scene.world.pass_ms(kWalGraceMs);
  scene.end_drain();
  expect_success(other, next);
}

Test(wal_budget, reads_do_not_wait_for_a_long_write) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  const auto stream = scene.park_stream(other);
  scene.start_drain(client);
  const auto slow = scene.world.execute(client, "DELETE FROM t");
  const auto read = scene.read(other);
  cr_expect(scene.world.job_count() == 1);
  scene.world.pass_ms(kWalGraceMs);
  cr_assert(scene.world.job_count() == 2, "the gate is open again");
  scene.world.succeed(1);
  expect_success(other, read);
  cr_expect(other.answer_to(stream) == nullptr);
  const auto behind = scene.world.execute(client, "DELETE FROM t");
  cr_expect(scene.world.job_count() == 1, "nothing gets before the drain once more");
  scene.world.succeed();
  expect_success(client, slow);
  scene.world.checkpoint(false);
  scene.world.pass_ms(kWalGraceMs);
  expect_wal_error(other, stream, TransactionState::kNone);
  scene.end_drain();
  expect_success(client, behind);
}

Test(wal_budget, a_session_that_dies_in_a_drain_frees_its_snapshots) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.park_stream(client);
  scene.world.begin(client, 1, true);
  scene.world.settle();
  scene.start_drain(other);
  scene.world.disconnect(client);
  scene.world.succeed();
  cr_expect(not is_checkpoint(scene.world.job()));
  scene.world.succeed();
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
}

Test(wal_budget, a_checkpoint_that_fails_lets_everything_go_on) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.write(client, 2 * kWalBudget);
  scene.world.fail(ErrorCode::kIo, false);
  const auto read = scene.read(client);
  cr_assert(scene.world.job_count() == 1);
  scene.world.succeed();
  expect_success(client, read);
  expect_success(client, scene.write(client, 2 * kWalBudget));
  cr_expect(scene.world.job_count() == 0, "it is not tried again at once");
  scene.write(client, 2 * kWalBudget + kWalBudget / 8);
  cr_expect(is_checkpoint(scene.world.job()));
}

Test(wal_budget, a_drain_survives_a_shutdown) {
  loop_thread.adopt();
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  const auto read = scene.read(client);
  loop_thread.assert_here();
  scene.world.dispatcher->start_drain(scene.world.now_us);
  scene.world.pass_ms(kWalGraceMs);
  expect_wal_error(client, stream, TransactionState::kNone);
  scene.world.settle();
  expect_success(client, read);
  cr_expect(client.closed);
}

Test(wal_budget, databases_do_not_wait_for_each_other) {
  WalScene scene({"a", "b"});
  CoreClient& client = scene.world.connect();
  const auto execute_in = [&](const char* database, const char* sql) {
    return scene.world.send(client, [&](wire::Request::Builder request) {
      request.setDatabase(database);
      auto execute = request.initExecute();
      execute.setSql(sql);
      execute.setWindowBytes(1);
    });
  };
  execute_in("a", "SELECT * FROM big");
  scene.world.stream(5'000);
  scene.world.log_bytes[0] = 2 * kWalBudget;
  execute_in("a", "DELETE FROM t");
  scene.world.succeed();
  scene.world.checkpoint(false);
  execute_in("a", "SELECT 1");
  cr_expect(scene.world.job_count() == 0);
  const auto read = execute_in("b", "SELECT 1");
  const auto write = execute_in("b", "DELETE FROM t");
  cr_expect(scene.world.job_count() == 2);
  scene.world.settle();
  expect_success(client, read);
  expect_success(client, write);
}

Test(wal_budget, the_log_of_a_quiet_database_is_emptied) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.write(client, 4096);
  scene.world.pass_ms(999);
  scene.write(client, 8192);
  scene.world.pass_ms(999);
  cr_expect(scene.world.job_count() == 0);
  scene.world.pass_ms(1);
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()));
  scene.world.checkpoint(false);
  cr_expect(scene.world.job_count() == 0, "it is not tried again at once");
  const auto read = scene.read(client);
  scene.world.succeed();
  expect_success(client, read);
  scene.world.pass_ms(1'000);
  scene.world.checkpoint(true);
  scene.world.pass_ms(10'000);
  cr_expect(scene.world.job_count() == 0);
}

Test(wal_budget, a_quiet_checkpoint_under_way_is_waited_for) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.write(client, 4096);
  scene.world.pass_ms(1'000);
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.log_bytes[0] = 2 * kWalBudget;
  scene.world.execute(client, "DELETE FROM t");
  scene.world.checkpoint(false);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()));
  scene.world.checkpoint(false);
  scene.world.pass_ms(kWalGraceMs);
  expect_wal_error(client, stream, TransactionState::kNone);
  scene.world.settle();
}
