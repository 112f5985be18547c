// WalBudget: when a log has to be emptied, who waits meanwhile, who is ended, and that everything goes on afterwards.
#include <criterion/criterion.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::Answer;
using skua::test::CoreClient;
using skua::test::CoreWorld;

constexpr std::uint64_t kBudget = 10 * kMiB;
constexpr std::uint64_t kGraceMs = 1'000;

// Without files for streams: see stream_spools_test.cc.
Limits small_budget() {
  Limits limits;
  limits.wal_bytes_max = kBudget;
  limits.wal_drain_ms_max = kGraceMs;
  limits.group_requests_max = 2;
  limits.spool_total_bytes_max = 0;
  return limits;
}

bool is_checkpoint(const Job& job) { return job.kind == JobKind::kCheckpoint; }

// A world in which every write leaves the log at log_bytes.
struct Scene {
  explicit Scene(std::vector<std::string> databases = {"main"}) : world(small_budget(), std::move(databases)) {}
  explicit Scene(const Limits& limits) : world(limits) {}

  std::uint64_t read(CoreClient& client) { return world.execute(client, "SELECT * FROM big", 0, 0, 1); }
  // A stream that waits for credit.
  std::uint64_t park_stream(CoreClient& client) {
    const std::uint64_t id = read(client);
    world.stream(5'000, world.job_count() - 1);
    return id;
  }
  // A write after which the log has `bytes`.
  std::uint64_t write(CoreClient& client, std::uint64_t bytes) {
    const std::uint64_t id = world.execute(client, "DELETE FROM t");
    world.log_bytes[0] = bytes;
    world.succeed(world.job_count() - 1);
    return id;
  }
  // A drain: the checkpoint that was asked for did not get past the readers.
  void start_drain(CoreClient& client, std::uint64_t bytes = kBudget / 2 + 1) {
    write(client, bytes);
    cr_assert(is_checkpoint(last_job()));
    world.checkpoint(false, world.job_count() - 1);
  }
  Job& last_job() { return *world.executor.jobs.back(); }

  CoreWorld world;
};

const Answer& answer_of(const CoreClient& client, std::uint64_t id) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  return *answer;
}

void expect_wal_error(const CoreClient& client, std::uint64_t id, TransactionState state) {
  const Answer& answer = answer_of(client, id);
  cr_assert(answer.error.has_value());
  cr_expect(answer.error->code == ErrorCode::kLimit);
  cr_expect(answer.error->message.find("wal_bytes_max") != std::string::npos, "%s", answer.error->message.c_str());
  cr_expect(answer.error->message.find("restart the read") != std::string::npos);
  cr_expect(answer.error->transaction == state);
}

void expect_success(const CoreClient& client, std::uint64_t id) {
  cr_expect(not answer_of(client, id).error.has_value());
}

}  // namespace

Test(wal_budget, a_log_below_half_of_its_budget_is_left_alone) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.write(client, kBudget / 2);
  cr_expect(scene.world.job_count() == 0);
}

Test(wal_budget, a_log_that_can_be_emptied_disturbs_nobody) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.write(client, kBudget / 2 + 1);
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
  const auto read = scene.read(client);
  cr_assert(scene.world.job_count() == 1);
  scene.world.settle();
  expect_success(client, read);
  scene.world.pass_ms(2 * kGraceMs);
  cr_expect(client.answer_to(stream) == nullptr);
}

Test(wal_budget, new_reads_wait_until_the_log_is_empty) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  const auto read = scene.read(other);
  const auto begin = scene.world.begin(other, 1, true);
  cr_expect(scene.world.job_count() == 0);
  scene.world.disconnect(client);
  scene.world.succeed();  // closes the stream's cursor
  cr_assert(is_checkpoint(scene.world.job()));
  cr_expect(scene.world.job_count() == 1);
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(other, read);
  expect_success(other, begin);
}

Test(wal_budget, a_read_that_ends_in_time_is_not_ended) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  const auto running = scene.read(client);
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs - 1);
  scene.world.succeed();
  expect_success(client, running);
  scene.world.grant(client, stream, 1'000'000);
  scene.world.succeed();
  expect_success(client, stream);
  scene.world.checkpoint(true);
  scene.world.pass_ms(kGraceMs);
  cr_expect(scene.world.job_count() == 0);
}

Test(wal_budget, a_parked_stream_is_ended_when_its_time_is_over) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs - 1);
  cr_expect(client.answer_to(stream) == nullptr);
  scene.world.pass_ms(1);
  expect_wal_error(client, stream, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.world.succeed();
  scene.world.checkpoint(true);
}

Test(wal_budget, a_running_read_is_stopped_by_its_token) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto read = scene.read(client);
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs);
  cr_assert(scene.world.job().request->token.reason() == CancelReason::kWalBudget);
  cr_expect(scene.world.job_count() == 1, "a checkpoint is in vain before it has stopped");
  scene.world.stream(5'000);  // it had just made a batch
  expect_wal_error(client, read, TransactionState::kNone);
  scene.world.succeed();
  scene.world.checkpoint(true);
}

Test(wal_budget, an_idle_read_transaction_is_rolled_back) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.begin(client, 1, true);
  scene.world.settle();
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs);
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
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.begin(client, 1, true);
  scene.world.settle();
  const auto stream = scene.world.execute(client, "SELECT * FROM big", 1, 0, 1);
  scene.world.stream(5'000);
  const auto statement = scene.world.execute(client, "SELECT 1", 1);
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs);
  expect_wal_error(client, stream, TransactionState::kAborted);
  cr_assert(scene.world.job().request->token.reason() == CancelReason::kWalBudget);
  scene.world.fail(ErrorCode::kLimit, true);
  cr_expect(answer_of(client, statement).error->transaction == TransactionState::kAborted);
  scene.world.succeed();  // the rollback
  scene.world.checkpoint(true);
}

Test(wal_budget, an_open_read_transaction_may_go_on_in_its_time) {
  Scene scene;
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
  Scene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.world.execute(client, "CREATE TEMP TABLE t(a)");
  scene.world.settle();
  scene.park_stream(other);
  scene.start_drain(other);
  const auto read = scene.world.execute(client, "SELECT * FROM t");
  cr_expect(scene.world.job_count() == 0, "it waits like any other read");
  scene.world.pass_ms(kGraceMs);
  scene.world.succeed();
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, read);
}

Test(wal_budget, a_stream_on_a_pinned_connection_is_ended_and_the_connection_stays) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.execute(client, "CREATE TEMP TABLE t(a)");
  scene.world.settle();
  const auto stream = scene.park_stream(client);
  scene.start_drain(scene.world.connect());
  scene.world.pass_ms(kGraceMs);
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
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  expect_success(client, scene.write(client, kBudget));
  expect_success(client, scene.write(client, kBudget + 1));
  const auto held = scene.world.execute(client, "DELETE FROM t");
  cr_expect(scene.world.job_count() == 0);
  scene.world.pass_ms(kGraceMs);
  scene.world.succeed();
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, held);
}

Test(wal_budget, no_write_begins_when_the_grace_is_nearly_over) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs * 9 / 10 - 1);
  const auto last = scene.world.execute(client, "DELETE FROM t");
  cr_assert(scene.world.job_count() == 1);
  scene.world.pass_ms(1);
  const auto held = scene.world.execute(client, "DELETE FROM t");
  scene.world.succeed();
  expect_success(client, last);
  cr_assert(scene.world.job_count() == 0, "so that the lane is free when it is over");
  scene.world.pass_ms(kGraceMs / 10);
  expect_wal_error(client, stream, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.world.succeed();
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, held);
}

Test(wal_budget, writes_held_back_by_the_end_of_a_grace_go_on_if_the_readers_end_by_themselves) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  scene.world.pass_ms(kGraceMs * 19 / 20);
  const auto held = scene.world.execute(client, "DELETE FROM t");
  cr_assert(scene.world.job_count() == 0);
  scene.world.grant(client, stream, 1'000'000);
  scene.world.succeed();
  expect_success(client, stream);
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, held);
  expect_success(client, scene.write(client, kBudget / 4));
}

Test(wal_budget, writes_go_one_group_ahead_while_a_drain_is_on) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  for (int i = 0; i < 5; ++i) scene.world.execute(client, "DELETE FROM t");
  cr_expect(scene.world.job_count() == 2, "%zu jobs", scene.world.job_count());
  scene.world.settle();
}

Test(wal_budget, a_write_transaction_is_waited_for_with_the_gate_open) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.park_stream(other);
  scene.world.begin(client, 1);
  scene.world.succeed();
  scene.world.log_bytes[0] = 2 * kBudget;
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
  scene.world.pass_ms(kGraceMs);
  scene.world.succeed();
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(other, next);
}

Test(wal_budget, reads_do_not_wait_for_a_long_write) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  const auto stream = scene.park_stream(other);
  scene.start_drain(client);
  const auto slow = scene.world.execute(client, "DELETE FROM t");
  const auto read = scene.read(other);
  cr_expect(scene.world.job_count() == 1);
  scene.world.pass_ms(kGraceMs);
  cr_assert(scene.world.job_count() == 2, "the gate is open again");
  scene.world.succeed(1);
  expect_success(other, read);
  cr_expect(other.answer_to(stream) == nullptr);
  const auto behind = scene.world.execute(client, "DELETE FROM t");
  cr_expect(scene.world.job_count() == 1, "nothing gets before the drain once more");
  scene.world.succeed();
  expect_success(client, slow);
  scene.world.checkpoint(false);
  scene.world.pass_ms(kGraceMs);
  expect_wal_error(other, stream, TransactionState::kNone);
  scene.world.succeed();
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(client, behind);
}

Test(wal_budget, a_session_that_dies_in_a_drain_frees_its_snapshots) {
  Scene scene;
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

Test(wal_budget, who_waits_at_the_gate_can_be_cancelled) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  const auto read = scene.read(client);
  scene.world.cancel(client, read);
  cr_assert(answer_of(client, read).error.has_value());
  const auto late = scene.world.execute(client, "SELECT 1", 0, 10);
  scene.world.pass_ms(10);
  cr_expect(answer_of(client, late).error->code == ErrorCode::kDeadline);
}

// One thread, which has a read under way; so whoever comes next has a connection and no snapshot.
struct CrowdedScene : Scene {
  CrowdedScene() : Scene(one_thread()), running(read(first)) { cr_assert(world.job_count() == 1); }

  static Limits one_thread() {
    Limits limits = small_budget();
    limits.reader_threads = 1;
    return limits;
  }

  CoreClient& first = world.connect();
  CoreClient& other = world.connect();
  const std::uint64_t running;
};

Test(wal_budget, who_waits_for_a_thread_has_no_snapshot_and_is_not_ended) {
  CrowdedScene scene;
  const auto early = scene.read(scene.other);
  CoreClient& third = scene.world.connect();
  const auto begin = scene.world.begin(third, 1, true);
  const auto late = scene.read(scene.other);
  cr_assert(scene.world.counter(scene.first, "reader_connections_leased") == 4);
  scene.start_drain(scene.first);
  cr_expect(scene.world.counter(scene.first, "reads_waiting") == 3);
  scene.world.pass_ms(kGraceMs);
  scene.world.stream(5'000);  // it had just made a batch when it was stopped
  expect_wal_error(scene.first, scene.running, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()), "nobody else is waited for");
  cr_expect(scene.other.answer_to(early) == nullptr);
  scene.world.checkpoint(true);
  scene.world.succeed();
  scene.world.succeed();
  expect_success(scene.other, early);
  expect_success(third, begin);
  cr_expect(scene.other.answer_to(late) == nullptr, "first in, first out");
  scene.world.settle();
  expect_success(scene.other, late);
}

Test(wal_budget, the_thread_is_for_those_who_have_to_end) {
  CrowdedScene scene;
  CoreClient& streaming = scene.world.connect();
  const auto read = scene.read(scene.other);
  scene.world.succeed();  // so that the read has the thread
  const auto stream = scene.read(streaming);
  scene.world.succeed();
  scene.world.stream(5'000);  // it waits for credit
  const auto again = scene.read(scene.first);
  const auto behind = scene.read(scene.first);
  scene.start_drain(scene.other);
  scene.world.grant(streaming, stream, 1'000'000);
  scene.world.succeed();
  expect_success(scene.first, again);
  scene.world.succeed();
  expect_success(streaming, stream);
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(scene.other, read);
  expect_success(scene.first, behind);
}

Test(wal_budget, who_waits_for_a_thread_at_the_gate_can_be_stopped) {
  CrowdedScene scene;
  const auto cancelled = scene.read(scene.other);
  const auto begin = scene.world.begin(scene.other, 1, true);
  const auto late = scene.world.execute(scene.other, "SELECT 1", 0, 10);
  CoreClient& gone = scene.world.connect();
  scene.read(gone);
  scene.start_drain(scene.first);
  scene.world.cancel(scene.other, cancelled);
  scene.world.cancel(scene.other, begin);
  scene.world.disconnect(gone);
  scene.world.pass_ms(10);
  cr_expect(answer_of(scene.other, cancelled).error->code == ErrorCode::kCancelled);
  cr_expect(answer_of(scene.other, begin).error->code == ErrorCode::kCancelled);
  cr_expect(answer_of(scene.other, late).error->code == ErrorCode::kDeadline);
  scene.world.succeed();
  expect_success(scene.first, scene.running);
  scene.world.checkpoint(true);
  scene.world.settle();
  cr_expect(scene.world.counter(scene.first, "reader_connections_leased") == 0);
  cr_expect(scene.world.counter(scene.first, "reads_waiting") == 0);
}

Test(wal_budget, a_group_of_transactions_waits_at_the_gate_with_all_its_connections) {
  CrowdedScene scene;
  const auto group = scene.world.send(scene.other, [](wire::Request::Builder request) {
    request.setTransaction(1);
    auto begin = request.initBegin();
    begin.setMode(wire::TransactionMode::READ);
    auto siblings = begin.initSiblings(2);
    siblings.set(0, 2);
    siblings.set(1, 3);
  });
  scene.start_drain(scene.first);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()), "none of the three has a snapshot");
  scene.world.checkpoint(true);
  cr_assert(scene.world.job().kind == JobKind::kBegin);
  scene.world.settle();
  expect_success(scene.other, group);
}

Test(wal_budget, a_checkpoint_that_fails_lets_everything_go_on) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.write(client, 2 * kBudget);
  scene.world.fail(ErrorCode::kIo, false);
  const auto read = scene.read(client);
  cr_assert(scene.world.job_count() == 1);
  scene.world.succeed();
  expect_success(client, read);
  expect_success(client, scene.write(client, 2 * kBudget));
  cr_expect(scene.world.job_count() == 0, "it is not tried again at once");
  scene.write(client, 2 * kBudget + kBudget / 8);
  cr_expect(is_checkpoint(scene.world.job()));
}

Test(wal_budget, a_drain_survives_a_shutdown) {
  loop_thread.adopt();
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.start_drain(client);
  const auto read = scene.read(client);
  loop_thread.assert_here();
  scene.world.dispatcher->start_drain(scene.world.now_us);
  scene.world.pass_ms(kGraceMs);
  expect_wal_error(client, stream, TransactionState::kNone);
  scene.world.settle();
  expect_success(client, read);
  cr_expect(client.closed);
}

Test(wal_budget, databases_do_not_wait_for_each_other) {
  Scene scene({"a", "b"});
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
  scene.world.log_bytes[0] = 2 * kBudget;
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
  Scene scene;
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
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto stream = scene.park_stream(client);
  scene.write(client, 4096);
  scene.world.pass_ms(1'000);
  cr_assert(is_checkpoint(scene.world.job()));
  scene.world.log_bytes[0] = 2 * kBudget;
  scene.world.execute(client, "DELETE FROM t");
  scene.world.checkpoint(false);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()));
  scene.world.checkpoint(false);
  scene.world.pass_ms(kGraceMs);
  expect_wal_error(client, stream, TransactionState::kNone);
  scene.world.settle();
}
