// Who has the writer, with real processes: what `locks` tells and what an error says of them is true.
#include <criterion/criterion.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

std::string own_command() {
  std::ifstream file("/proc/self/comm");
  std::string command;
  std::getline(file, command);
  return command;
}

// As soon as so many wait for the writer of the only database.
DatabaseLock lock_with_waiting(Connection& connection, std::uint32_t count) {
  while (true) {
    DatabaseLock lock = must(connection.locks()).at(0);
    if (lock.waiting_count == count) return lock;
  }
}

}  // namespace

Test(locks, name_the_processes_that_have_the_writer_and_wait_for_it) {
  RealDaemon daemon;
  Connection holder = connect(daemon);
  ask(holder, "CREATE TABLE t (a)");
  cr_assert(skua_output(daemon, {"locks"}) == "nobody has the writer of 'main'\n");
  Transaction transaction = must(holder.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  ask(transaction, "INSERT INTO t VALUES (2)");
  Process waiter(skua_command(daemon, {"query", "INSERT INTO t VALUES (3)"}));
  Connection observer = connect(daemon);
  const DatabaseLock lock = lock_with_waiting(observer, 1);
  cr_assert(lock.database == "main");
  cr_assert_eq(lock.holder->peer->session, holder.server().session_id);
  cr_assert_eq(lock.holder->peer->pid, getpid());
  cr_assert_eq(lock.holder->peer->uid, getuid());
  cr_assert(lock.holder->peer->command == own_command());
  cr_assert(lock.holder->peer->client_name == "system test");
  cr_assert(lock.holder->in_transaction);
  cr_assert(lock.holder->first_sql == "INSERT INTO t VALUES (1)");
  cr_assert(lock.holder->last_sql == "INSERT INTO t VALUES (2)");
  cr_assert_eq(lock.holder->requests, 3);
  cr_assert_gt(lock.holder->idle_us, 0);
  cr_assert_gt(lock.holder->held_us, lock.holder->idle_us);
  cr_assert_eq(lock.waiting.at(0).peer->pid, waiter.pid());
  cr_assert(lock.waiting[0].peer->command == "skua");
  cr_assert(lock.waiting[0].sql == "INSERT INTO t VALUES (3)");

  const std::string text = skua_output(daemon, {"locks"});
  cr_assert(contains(text, fmt::format("session {} ({}, pid {}, uid {}) \"system test\" has the writer of 'main', for ",
                                       holder.server().session_id, own_command(), getpid(), getuid())),
            "%s", text.c_str());
  cr_assert(contains(text, "  last:  INSERT INTO t VALUES (2)\n  1 request waits for it:\n"), "%s", text.c_str());
  cr_assert(contains(text, fmt::format("(skua, pid {}, uid {}): INSERT INTO t VALUES (3)\n", waiter.pid(), getuid())),
            "%s", text.c_str());
  const std::string json = skua_output(daemon, {"locks", "--json"});
  cr_assert(contains(json, fmt::format("\"pid\":{},", waiter.pid())), "%s", json.c_str());
  must(transaction.commit());
  cr_assert_eq(waiter.wait().exit_status, 0);
  cr_assert(skua_output(daemon, {"locks"}) == "nobody has the writer of 'main'\n");
}

Test(locks, are_told_while_a_write_runs_that_never_ends) {
  RealDaemon daemon;
  Connection observer = connect(daemon);
  ask(observer, "CREATE TABLE t (a)");
  const std::string sql = "INSERT INTO t " + std::string(kForever);
  Process endless(skua_command(daemon, {"query", sql}));
  std::optional<LockHolder> holder;
  while (!holder) holder = must(observer.locks()).at(0).holder;
  cr_assert_eq(holder->peer->pid, endless.pid());
  cr_assert_not(holder->in_transaction);
  cr_assert(holder->last_sql == sql);
  endless.send_signal(SIGINT);
  endless.wait();
  while (holder) holder = must(observer.locks()).at(0).holder;
}

Test(locks, of_one_database_and_of_one_that_is_missing) {
  RealDaemon daemon({.databases = {{"one", "one.db"}, {"two", "two.db"}}});
  cr_assert(skua_output(daemon, {"locks"}) == "nobody has the writer of 'one'\nnobody has the writer of 'two'\n");
  cr_assert(skua_output(daemon, {"-d", "two", "locks"}) == "nobody has the writer of 'two'\n");
  cr_assert_eq(run_skua(daemon, {"-d", "three", "locks"}).exit_status, 2);
}

Test(locks, an_error_names_who_was_in_the_way) {
  RealDaemon daemon({.config = "[limits]\nwrite_wait_ms_max = 100\n"});
  Connection holder = connect(daemon);
  Connection other = connect(daemon);
  ask(holder, "CREATE TABLE t (a)");
  Transaction transaction = must(holder.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  const std::string who = fmt::format("session {} ({}, pid {}, uid {}) has had it for ", holder.server().session_id,
                                      own_command(), getpid(), getuid());
  const std::string what = "its last statement: INSERT INTO t VALUES (1)";
  const Error waited = expect_error(other.execute("DELETE FROM t"), ErrorCode::kLimit);
  cr_assert(contains(waited.message, "the request waited 100 ms for the writer of 'main' (write_wait_ms_max); " + who),
            "%s", waited.message.c_str());
  cr_assert(contains(waited.message, what), "%s", waited.message.c_str());
  const Error late = expect_error(other.execute("DELETE FROM t", {}, RequestOptions().with_deadline_ms(20)), ErrorCode::kDeadline);
  cr_assert(contains(late.message, "while it waited for the writer of 'main'; " + who), "%s", late.message.c_str());
  must(transaction.rollback());
}
