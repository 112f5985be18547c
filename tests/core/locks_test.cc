// Who has the writer: what `locks` answers, and what the errors of those say who waited for it in vain.
#include <criterion/criterion.h>
#include <fmt/format.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::CoreClient;
using skua::test::CoreWorld;

// A client with a name and a process.
CoreClient& connect_as(CoreWorld& world, const std::string& command, pid_t pid) {
  loop_thread.assert_here();
  CoreClient& client = world.connect();
  client.state->peer = {1000, 1000, pid, command};
  client.state->client_name = command + "'s name";
  return client;
}

DatabaseLock lock_of_main(CoreWorld& world) { return world.locks(world.connect()).at(0); }

const std::string& message_of(const CoreClient& client, std::uint64_t id, ErrorCode code) {
  const auto* answer = client.answer_to(id);
  cr_assert(answer != nullptr && answer->error.has_value());
  cr_assert(answer->error->code == code, "%s", answer->error->message.c_str());
  return answer->error->message;
}

void expect_text(const std::string& text, const std::string& expected) {
  cr_expect(text == expected, "%s\ninstead of\n%s", text.c_str(), expected.c_str());
}

Limits one_at_a_time() {
  Limits limits;
  limits.group_requests_max = 1;
  return limits;
}

}  // namespace

Test(locks, nobody_has_a_writer_that_is_free) {
  CoreWorld world({}, {"main", "other"});
  const auto locks = world.locks(world.connect());
  cr_assert_eq(locks.size(), 2u);
  cr_expect(locks[0].database == "main");
  cr_expect(locks[1].database == "other");
  cr_expect(not locks[0].holder.has_value());
  cr_expect_eq(locks[0].waiting_count, 0u);
}

Test(locks, are_of_one_database_if_it_is_named) {
  CoreWorld world({}, {"main", "other"});
  CoreClient& client = world.connect();
  const auto ask = [&](const char* name) {
    return client.answer_to(world.send(client, [&](wire::Request::Builder request) {
      request.setDatabase(name);
      request.setLocks();
    }));
  };
  cr_assert_eq(ask("other")->locks.size(), 1u);
  cr_expect(ask("other")->locks[0].database == "other");
  cr_expect(ask("none")->error->code == ErrorCode::kNotFound);
}

Test(locks, a_transaction_tells_its_times_and_its_first_and_last_sql) {
  CoreWorld world;
  CoreClient& client = connect_as(world, "python3", 77);
  world.begin(client, 3);
  world.pass_ms(5);
  LockHolder holder = lock_of_main(world).holder.value();
  cr_expect_eq(holder.idle_us, 0u, "its begin still runs");
  cr_expect_eq(holder.held_us, 5'000u);
  world.succeed();
  world.execute(client, "UPDATE a", 3);
  world.succeed();
  world.execute(client, "UPDATE b", 3);
  world.pass_ms(10);
  cr_expect_eq(lock_of_main(world).holder->idle_us, 0u);
  world.succeed();
  world.pass_ms(20);
  holder = lock_of_main(world).holder.value();
  cr_expect_eq(holder.peer->session, client.state->id);
  cr_expect_eq(holder.peer->pid, 77);
  cr_expect_eq(holder.peer->uid, 1000u);
  cr_expect(holder.peer->command == "python3");
  cr_expect(holder.peer->client_name == "python3's name");
  cr_expect(holder.in_transaction);
  cr_expect_eq(holder.transaction, 3u);
  cr_expect_eq(holder.held_us, 35'000u);
  cr_expect_eq(holder.idle_us, 20'000u);
  cr_expect(holder.first_sql == "UPDATE a");
  cr_expect(holder.last_sql == "UPDATE b");
  cr_expect_eq(holder.requests, 3u);
  world.commit(client, 3);
  world.succeed();
  cr_expect(not lock_of_main(world).holder.has_value());
}

Test(locks, a_transaction_of_sql_text_begins_with_what_follows_its_begin) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "BEGIN");
  world.succeed();
  cr_expect(lock_of_main(world).holder->first_sql.empty());
  world.execute(client, "DELETE FROM t");
  world.succeed();
  cr_expect(lock_of_main(world).holder->first_sql == "DELETE FROM t");
  cr_expect_eq(lock_of_main(world).holder->transaction, 0u);
}

Test(locks, a_read_transaction_has_no_writer) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1, true);
  world.succeed();
  world.execute(client, "SELECT 1", 1);
  world.succeed();
  cr_expect(not lock_of_main(world).holder.has_value());
}

Test(locks, the_oldest_of_the_writes_in_the_lane_is_shown) {
  CoreWorld world;
  CoreClient& first = connect_as(world, "first", 1);
  CoreClient& second = connect_as(world, "second", 2);
  world.execute(first, "DELETE FROM a");
  world.pass_ms(3);
  world.execute(second, "DELETE FROM b");
  LockHolder holder = lock_of_main(world).holder.value();
  cr_expect_eq(holder.peer->pid, 1);
  cr_expect(not holder.in_transaction);
  cr_expect_eq(holder.held_us, 3'000u);
  cr_expect_eq(holder.idle_us, 0u);
  cr_expect(holder.first_sql == "DELETE FROM a");
  cr_expect(holder.last_sql == "DELETE FROM a");
  cr_expect_eq(holder.requests, 2u);
  world.succeed();
  holder = lock_of_main(world).holder.value();
  cr_expect_eq(holder.peer->pid, 2);
  cr_expect_eq(holder.requests, 1u);
  world.succeed();
  cr_expect(not lock_of_main(world).holder.has_value());
}

Test(locks, a_write_that_was_withdrawn_has_nothing) {
  CoreWorld world;
  CoreClient& first = connect_as(world, "first", 1);
  CoreClient& second = connect_as(world, "second", 2);
  CoreClient& third = connect_as(world, "third", 3);
  world.execute(first, "DELETE FROM a");
  const auto withdrawn = world.execute(second, "DELETE FROM b");
  world.execute(third, "DELETE FROM c");
  world.cancel(second, withdrawn);
  message_of(second, withdrawn, ErrorCode::kCancelled);
  cr_expect_eq(lock_of_main(world).holder->peer->pid, 1);
  world.succeed();
  cr_expect_eq(lock_of_main(world).holder->peer->pid, 3);
}

Test(locks, programs_and_many_rows_show_their_first_statement) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.send(client, [](wire::Request::Builder request) {
    auto steps = request.initProgram().initSteps(2);
    steps[0].setSql("INSERT INTO a");
    steps[1].setSql("INSERT INTO b");
  });
  cr_expect(lock_of_main(world).holder->last_sql == "INSERT INTO a");
  world.succeed();
  world.send(client, [](wire::Request::Builder request) { request.initExecuteMany().setSql("INSERT INTO c"); });
  cr_expect(lock_of_main(world).holder->last_sql == "INSERT INTO c");
}

Test(locks, sql_is_shown_up_to_its_limit) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const std::string start = "DELETE FROM t /*";
  const std::string at_limit = start + std::string(kLockSqlBytesMax - start.size(), 'x');
  // The character that does not fit whole is left out.
  const std::string beyond = at_limit.substr(0, kLockSqlBytesMax - 1) + "\u00e4*/";
  world.begin(client, 1);
  world.succeed();
  world.execute(client, at_limit, 1);
  world.succeed();
  world.execute(client, beyond, 1);
  world.succeed();
  const LockHolder holder = lock_of_main(world).holder.value();
  cr_expect(holder.first_sql == at_limit);
  cr_expect(holder.last_sql == at_limit.substr(0, kLockSqlBytesMax - 1));
}

Test(locks, a_session_that_is_gone_has_no_peer) {
  CoreWorld world;
  CoreClient& transaction = world.connect();
  world.begin(transaction, 1);
  world.succeed();
  world.execute(transaction, "DELETE FROM a", 1);
  world.disconnect(transaction);
  LockHolder holder = lock_of_main(world).holder.value();
  cr_expect(not holder.peer.has_value());
  cr_expect(holder.last_sql == "DELETE FROM a");
  world.settle();
  CoreClient& write = world.connect();
  world.execute(write, "DELETE FROM b");
  world.disconnect(write);
  holder = lock_of_main(world).holder.value();
  cr_expect(not holder.peer.has_value());
  cr_expect(holder.last_sql == "DELETE FROM b");
  world.settle();
  cr_expect(not lock_of_main(world).holder.has_value());
}

Test(locks, those_who_wait_are_shown_in_the_order_of_their_turns) {
  CoreWorld world;
  CoreClient& holder = world.connect();
  CoreClient& one = connect_as(world, "one", 1);
  CoreClient& two = connect_as(world, "two", 2);
  world.begin(holder, 1);
  world.succeed();
  world.execute(one, "DELETE FROM a");
  const auto cancelled = world.execute(one, "DELETE FROM b");
  world.pass_ms(4);
  world.execute(one, "DELETE FROM c");
  world.begin(two, 9);
  world.cancel(one, cancelled);
  const DatabaseLock lock = lock_of_main(world);
  cr_assert_eq(lock.waiting.size(), 3u);
  cr_expect_eq(lock.waiting_count, 3u);
  cr_expect(lock.waiting[0].sql == "DELETE FROM a");
  cr_expect_eq(lock.waiting[0].waited_us, 4'000u);
  cr_expect(not lock.waiting[0].opens_transaction);
  cr_expect_eq(lock.waiting[1].peer->pid, 2);
  cr_expect(lock.waiting[1].opens_transaction);
  cr_expect(lock.waiting[1].sql.empty());
  cr_expect(lock.waiting[2].sql == "DELETE FROM c");
  cr_expect_eq(lock.waiting[2].waited_us, 0u);
  world.disconnect(one);
  cr_expect_eq(lock_of_main(world).waiting_count, 1u);
  world.commit(holder, 1);
  world.succeed();
  cr_expect_eq(lock_of_main(world).waiting_count, 0u);
}

Test(locks, the_first_hundred_who_wait_are_shown_and_all_are_counted) {
  CoreWorld world;
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  world.begin(holder, 1);
  world.succeed();
  for (std::size_t i = 0; i < kLockWaitersMax; ++i) world.execute(client, fmt::format("DELETE FROM t{}", i));
  cr_expect_eq(lock_of_main(world).waiting.size(), kLockWaitersMax);
  const auto last = world.execute(client, "DELETE FROM last");
  DatabaseLock lock = lock_of_main(world);
  cr_expect_eq(lock.waiting.size(), kLockWaitersMax);
  cr_expect_eq(lock.waiting_count, kLockWaitersMax + 1);
  cr_expect(lock.waiting[99].sql == "DELETE FROM t99");
  world.cancel(client, last);
  cr_expect_eq(lock_of_main(world).waiting_count, kLockWaitersMax);
}

Test(locks, are_told_while_the_daemon_shuts_down) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 1);
  world.succeed();
  loop_thread.assert_here();
  world.dispatcher->start_drain(world.now_us);
  cr_expect_eq(world.locks(client).at(0).holder->peer->session, client.state->id);
}

Test(locks, are_refused_to_who_does_not_read) {
  CoreWorld world;
  CoreClient& client = world.connect();
  client.unsent = Limits{}.unsent_bytes_per_session_max;
  world.locks(client);
  ++client.unsent;
  const auto id = world.send(client, [](wire::Request::Builder request) { request.setLocks(); });
  message_of(client, id, ErrorCode::kLimit);
}

Test(locks, asking_often_does_not_spend_what_a_message_may_be_read) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "DELETE FROM t /* " + std::string(10'000, 'x') + " */");
  CoreClient& observer = world.connect();
  for (int i = 0; i < 100; ++i) world.locks(observer);
  cr_expect_eq(world.job().request->message->root().getExecute().getSql().size(), 10'020u);
}

Test(blame, a_wait_that_was_too_long_names_the_transaction_in_the_way) {
  Limits limits;
  limits.transaction_idle_ms_max = 600'000;
  CoreWorld world(limits);
  CoreClient& holder = connect_as(world, "python3", 77);
  CoreClient& other = world.connect();
  world.begin(holder, 1);
  world.succeed();
  world.pass_ms(300);
  world.execute(holder, "UPDATE account\n   SET sum = 1", 1);
  world.succeed();
  world.pass_ms(900);
  const auto first = world.execute(other, "DELETE FROM t");
  world.pass_ms(1);
  const auto second = world.begin(other, 4);
  const auto third = world.execute(other, "DELETE FROM u");
  world.pass_ms(59'999);
  const std::string start =
      "the request waited 60000 ms for the writer of 'main' (write_wait_ms_max); session 1 (python3, pid 77, uid 1000) "
      "has had it for 61.2 s in a transaction that is idle for 60.9 s, its last statement: UPDATE account SET sum = 1";
  expect_text(message_of(other, first, ErrorCode::kLimit),
              start + "; 2 other requests wait: retry later, or see `skua locks`");
  world.pass_ms(1);
  expect_text(message_of(other, second, ErrorCode::kLimit),
              start + "; 1 other request waits: retry later, or see `skua locks`");
  expect_text(message_of(other, third, ErrorCode::kLimit), start + ": retry later, or see `skua locks`");
}

Test(blame, a_wait_that_was_too_long_names_the_write_in_the_way) {
  Limits limits = one_at_a_time();
  limits.write_wait_ms_max = 2'000;
  CoreWorld world(limits);
  CoreClient& holder = connect_as(world, "skua", 78);
  CoreClient& other = world.connect();
  world.execute(holder, "DELETE FROM big");
  world.execute(holder, "DELETE FROM small");
  const auto waiting = world.execute(other, "DELETE FROM t");
  world.pass_ms(2'000);
  expect_text(message_of(other, waiting, ErrorCode::kLimit),
              "the request waited 2000 ms for the writer of 'main' (write_wait_ms_max); session 1 (skua, pid 78, uid "
              "1000) has had it for 2.0 s with the statement: DELETE FROM big: retry later, or see `skua locks`");
}

Test(blame, a_deadline_that_passes_in_the_queue_says_who_was_in_the_way) {
  CoreWorld world;
  CoreClient& holder = connect_as(world, "python3", 77);
  CoreClient& other = world.connect();
  world.begin(holder, 1);
  world.succeed();
  const auto queued = world.execute(other, "DELETE FROM t", 0, 250);
  const auto read = world.execute(other, "SELECT 1", 0, 250);
  world.pass_ms(250);
  expect_text(message_of(other, queued, ErrorCode::kDeadline),
              "the request's deadline passed while it waited for the writer of 'main'; session 1 (python3, pid 77, uid "
              "1000) has had it for 250 ms in a transaction that is idle for 250 ms, without a statement so far: retry "
              "with more time, or see `skua locks`");
  world.fail(ErrorCode::kDeadline, false);
  expect_text(message_of(other, read, ErrorCode::kDeadline), "made to fail");
}

Test(blame, a_deadline_that_passes_in_the_lane_says_who_was_in_the_way) {
  CoreWorld world;
  CoreClient& holder = connect_as(world, "skua", 78);
  CoreClient& other = world.connect();
  world.execute(holder, "DELETE FROM big");
  const auto behind = world.execute(other, "DELETE FROM t", 0, 250);
  world.pass_ms(250);
  expect_text(message_of(other, behind, ErrorCode::kDeadline),
              "the request's deadline passed while it waited for the writer of 'main'; session 1 (skua, pid 78, uid "
              "1000) has had it for 250 ms with the statement: DELETE FROM big: retry with more time, or see `skua "
              "locks`");
}

Test(blame, a_session_that_is_gone_and_a_transaction_at_work_are_told) {
  CoreWorld world;
  CoreClient& holder = world.connect();
  CoreClient& other = world.connect();
  world.begin(holder, 1);
  world.succeed();
  world.execute(holder, "DELETE FROM big", 1);
  const auto queued = world.execute(other, "DELETE FROM t", 0, 250);
  world.disconnect(holder);
  world.pass_ms(250);
  expect_text(message_of(other, queued, ErrorCode::kDeadline),
              "the request's deadline passed while it waited for the writer of 'main'; a session that is gone has had "
              "it for 250 ms in a transaction that is at work, its last statement: DELETE FROM big: retry with more "
              "time, or see `skua locks`");
}
