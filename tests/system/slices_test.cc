// executeMany with independent rows: what others get of the writer meanwhile, and what is left when it ends
// early.
#include <criterion/criterion.h>
#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// So many rows take seconds if each is a slice, and some milliseconds if they are few slices.
constexpr std::int64_t kRows = 100'000;
constexpr std::string_view kInsert = "INSERT INTO t VALUES (?)";

RealDaemon::Options slices_of_one_row() { return {.config = "[limits]\nbulk_slice_ms_max = 0\n"}; }

// Not synced: the disk is not what is tested.
RequestOptions independent() {
  RequestOptions options;
  options.independent = true;
  options.durability = Durability::kRelaxed;
  return options;
}

ParameterRows numbers(std::int64_t count) {
  ParameterRows rows(1);
  for (std::int64_t i = 0; i < count; ++i) {
    rows.append(ValueView::integer(i));
    rows.end_row();
  }
  return rows;
}

std::int64_t count_rows(Connection& connection) {
  return std::stoll(ask(connection, "SELECT count(*) FROM t"));
}

// The rows that are there are the first ones, in order.
void expect_first_rows(Connection& connection, std::int64_t count) {
  cr_assert_eq(count_rows(connection), count);
  cr_assert(ask(connection, "SELECT coalesce(max(a) + 1, 0) FROM t") == std::to_string(count));
}

// Executes kRows rows in slices, beside the test.
class Bulk {
 public:
  explicit Bulk(const RealDaemon& daemon) : connection_(connect(daemon)) {
    ask(connection_, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
    thread_ =
        std::thread([this] { result_ = connection_.execute_many(kInsert, numbers(kRows), independent()); });
  }
  ~Bulk() {
    if (thread_.joinable()) thread_.join();
  }
  void cancel() const { connection_.canceller().cancel(); }
  Result<Summary> wait() {
    thread_.join();
    return *result_;
  }

 private:
  Connection connection_;
  std::optional<Result<Summary>> result_;
  std::thread thread_;
};

// When some are committed, and by far not all.
std::int64_t wait_for_rows(Connection& connection) {
  while (true) {
    if (const std::int64_t count = count_rows(connection); count > 0) return count;
  }
}

}  // namespace

Test(slices, another_session_writes_between_them) {
  RealDaemon daemon(slices_of_one_row());
  Connection other = connect(daemon);
  ask(other, "CREATE TABLE seen (rows)");
  Bulk bulk(daemon);
  wait_for_rows(other);
  for (int i = 0; i < 20; ++i) must(other.execute("INSERT INTO seen SELECT count(*) FROM t"));
  Transaction transaction = must(other.begin());
  ask(transaction, "INSERT INTO seen SELECT count(*) FROM t");
  must(transaction.commit());
  cr_assert_lt(count_rows(other), kRows);
  // In between more rows were committed, each time.
  cr_assert(ask(other, "SELECT count(DISTINCT rows) FROM seen") == "21");
  bulk.cancel();
  const Error error = expect_error(bulk.wait(), ErrorCode::kCancelled);
  cr_assert(contains(error.message, fmt::format("{} rows of the request are committed", error.row)), "%s",
            error.message.c_str());
  expect_first_rows(other, error.row);
}

Test(slices, the_sum_of_all_is_the_answer) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
  const Summary summary = must(connection.execute_many(kInsert, numbers(kRows), independent()));
  cr_assert_eq(summary.changes, static_cast<std::uint64_t>(kRows));
  cr_assert_eq(summary.last_insert_rowid, kRows - 1);
  expect_first_rows(connection, kRows);
}

Test(slices, a_row_that_fails_keeps_those_before_it) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
  ask(connection, "INSERT INTO t VALUES (70000)");
  const Error error =
      expect_error(connection.execute_many(kInsert, numbers(kRows), independent()), ErrorCode::kConstraint);
  cr_assert_eq(error.row, 70'000);
  cr_assert(contains(error.message, "UNIQUE constraint failed: t.a; 70000 rows of the request are committed"),
            "%s", error.message.c_str());
  expect_first_rows(connection, 70'001);
}

Test(slices, a_deadline_tells_how_far_they_came) {
  RealDaemon daemon(slices_of_one_row());
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
  RequestOptions options = independent();
  options.deadline_ms = 200;
  const Error error =
      expect_error(connection.execute_many(kInsert, numbers(kRows), options), ErrorCode::kDeadline);
  // A slow machine may not have come to the first.
  expect_first_rows(connection, std::max<std::int64_t>(error.row, 0));
}

Test(slices, are_refused_where_they_cannot_be) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
  Transaction transaction = must(connection.begin());
  const Error inside =
      expect_error(transaction.execute_many(kInsert, numbers(2), independent()), ErrorCode::kTransactionState);
  cr_assert(contains(inside.message, "in slices"));
  must(transaction.execute_many(kInsert, numbers(2)));
  must(transaction.commit());
  RequestOptions options = independent();
  options.idempotency_key = "once";
  const Error keyed = expect_error(connection.execute_many(kInsert, numbers(2), options), ErrorCode::kProtocol);
  cr_assert(contains(keyed.message, "not independent"));
  expect_first_rows(connection, 2);
}

Test(slices, of_a_client_that_dies_end) {
  RealDaemon daemon(slices_of_one_row());
  Connection other = connect(daemon);
  ask(other, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
  const pid_t client = fork();
  if (client == 0) {
    Connection connection = connect(daemon);
    (void)connection.execute_many(kInsert, numbers(kRows), independent());
    _exit(0);
  }
  wait_for_rows(other);
  ::kill(client, SIGKILL);
  waitpid(client, nullptr, 0);
  // As soon as the daemon has seen it: in between two slices it waits, in one it has the writer.
  while (true) {
    const DatabaseLock lock = must(other.locks()).at(0);
    if (not lock.holder.has_value() and lock.waiting_count == 0) break;
  }
  const std::int64_t left = count_rows(other);
  cr_assert_lt(left, kRows);
  expect_first_rows(other, left);
}

Test(slices, a_shutdown_ends_them_and_tells_what_is_committed) {
  RealDaemon daemon(slices_of_one_row());
  Connection other = connect(daemon);
  Bulk bulk(daemon);
  wait_for_rows(other);
  daemon.stop();
  const Error error = expect_error(bulk.wait(), ErrorCode::kUnavailable);
  cr_assert_gt(error.row, 0);
  daemon.start();
  Connection again = connect(daemon);
  expect_first_rows(again, error.row);
}

Test(slices, that_are_committed_survive_a_kill) {
  RealDaemon daemon(slices_of_one_row());
  Connection other = connect(daemon);
  Bulk bulk(daemon);
  const std::int64_t seen = wait_for_rows(other);
  daemon.kill();
  expect_error(bulk.wait(), ErrorCode::kInDoubt);
  daemon.start();
  Connection again = connect(daemon);
  const std::int64_t left = count_rows(again);
  cr_assert_geq(left, seen);
  cr_assert_lt(left, kRows);
  expect_first_rows(again, left);
}
