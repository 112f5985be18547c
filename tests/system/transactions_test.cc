// Transactions of the client library and as SQL text, through the real daemon.
#include <criterion/criterion.h>

#include <atomic>
#include <optional>
#include <thread>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// A daemon with a table t (a INTEGER PRIMARY KEY) and two sessions.
struct Story {
  explicit Story(std::string config = {})
      : daemon({.config = std::move(config)}), one(connect(daemon)), two(connect(daemon)) {
    ask(one, "CREATE TABLE t (a INTEGER PRIMARY KEY)");
  }
  std::string rows(Connection& connection) { return ask(connection, "SELECT a FROM t ORDER BY a"); }

  RealDaemon daemon;
  Connection one;
  Connection two;
};

}  // namespace

Test(transaction, commit_shows_its_rows_to_others_and_not_before) {
  Story story;
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  ask(transaction, "INSERT INTO t VALUES (2)");
  cr_assert(ask(transaction, "SELECT a FROM t") == "1 2", "it sees its own rows");
  cr_assert(story.rows(story.two) == "");
  cr_assert(transaction.commit().has_value());
  cr_assert(!transaction.is_open());
  cr_assert(story.rows(story.two) == "1 2");
}

Test(transaction, rollback_and_the_destructor_undo_it) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "INSERT INTO t VALUES (1)");
  cr_assert(first.rollback().has_value());
  {
    Transaction second = must(story.one.begin());
    ask(second, "INSERT INTO t VALUES (2)");
  }
  ask(story.one, "INSERT INTO t VALUES (3)");
  cr_assert(story.rows(story.two) == "3");
}

Test(transaction, of_a_client_that_hangs_up_is_rolled_back_and_the_next_writer_goes_on) {
  Story story;
  std::optional<Connection> leaving = connect(story.daemon);
  Transaction transaction = must(leaving->begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  std::optional<Transaction> abandoned = std::move(transaction);
  leaving.reset();
  abandoned.reset();
  ask(story.two, "INSERT INTO t VALUES (2)");
  cr_assert(story.rows(story.two) == "2");
}

Test(transaction, savepoints_undo_a_part) {
  Story story;
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  cr_assert(transaction.savepoint("here").has_value());
  ask(transaction, "INSERT INTO t VALUES (2)");
  cr_assert(transaction.rollback_to("here").has_value());
  ask(transaction, "INSERT INTO t VALUES (3)");
  cr_assert(transaction.release("here").has_value());
  cr_assert(transaction.commit().has_value());
  cr_assert(story.rows(story.one) == "1 3");
}

Test(transaction, savepoints_of_an_unknown_name_are_an_error_that_leaves_it_open) {
  Story story;
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  const auto released = transaction.release("nowhere");
  cr_assert(!released.has_value());
  cr_assert(!released.error().ends_transaction());
  cr_assert(transaction.commit().has_value());
  cr_assert(story.rows(story.one) == "1");
}

Test(transaction, a_failed_statement_undoes_itself_only) {
  Story story;
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  const Error error =
      expect_error(transaction.execute("INSERT INTO t VALUES (2), (1)"), ErrorCode::kConstraint);
  cr_assert_eq(error.transaction, TransactionState::kOpen);
  cr_assert(!error.ends_transaction());
  ask(transaction, "INSERT INTO t VALUES (3)");
  cr_assert(transaction.commit().has_value());
  cr_assert(story.rows(story.one) == "1 3");
}

Test(transaction, that_sqlite_rolled_back_refuses_everything_until_rollback) {
  Story story;
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  const Error error =
      expect_error(transaction.execute("INSERT OR ROLLBACK INTO t VALUES (1)"), ErrorCode::kConstraint);
  cr_assert_eq(error.transaction, TransactionState::kAborted);
  cr_assert(error.ends_transaction());
  expect_error(transaction.execute("INSERT INTO t VALUES (2)"), ErrorCode::kTransactionAborted);
  expect_error(transaction.execute("SELECT 1"), ErrorCode::kTransactionAborted);
  expect_error(transaction.commit(), ErrorCode::kTransactionAborted);
  cr_assert(transaction.rollback().has_value());
  ask(story.one, "INSERT INTO t VALUES (4)");
  cr_assert(story.rows(story.one) == "4");
}

Test(transaction, that_idles_too_long_is_rolled_back_and_stays_refused) {
  Story story("[limits]\ntransaction_idle_ms_max = 100\n");
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  // This waits for the writer, and gets it when the idle transaction has lost it.
  ask(story.two, "INSERT INTO t VALUES (2)");
  const Error error =
      expect_error(transaction.execute("INSERT INTO t VALUES (3)"), ErrorCode::kTransactionAborted);
  cr_assert(contains(error.message, "transaction_idle_ms_max"), "%s", error.message.c_str());
  expect_error(transaction.commit(), ErrorCode::kTransactionAborted);
  cr_assert(transaction.rollback().has_value());
  cr_assert(story.rows(story.one) == "2");
}

Test(transaction, that_lasts_too_long_is_rolled_back_though_it_is_busy) {
  Story story("[limits]\ntransaction_total_ms_max = 300\n");
  Transaction transaction = must(story.one.begin());
  std::optional<Error> error;
  for (int i = 1; !error; ++i) {
    const auto inserted = transaction.execute("INSERT INTO t VALUES (?)", Parameters::of(i));
    if (!inserted) error = inserted.error();
  }
  // The limit meets it between two statements or in the middle of one.
  cr_assert(error->code == ErrorCode::kTransactionAborted || error->code == ErrorCode::kLimit);
  cr_assert(error->ends_transaction());
  cr_assert(contains(error->message, "transaction_total_ms_max"), "%s", error->message.c_str());
  cr_assert(transaction.rollback().has_value());
  cr_assert(story.rows(story.two) == "");
}

Test(transaction, for_reading_keeps_one_view_and_refuses_writes) {
  Story story;
  ask(story.one, "INSERT INTO t VALUES (1)");
  Transaction reading = must(story.one.begin(TransactionMode::kRead));
  cr_assert(ask(reading, "SELECT a FROM t") == "1");
  ask(story.two, "INSERT INTO t VALUES (2)");
  cr_assert(ask(reading, "SELECT a FROM t") == "1");
  expect_error(reading.execute("INSERT INTO t VALUES (3)"), ErrorCode::kReadOnly);
  cr_assert(reading.commit().has_value());
  cr_assert(story.rows(story.one) == "1 2");
}

Test(transaction, two_writers_take_turns_and_neither_is_told_of_a_lock) {
  Story story;
  ask(story.one, "INSERT INTO t VALUES (0)");
  ask(story.one, "CREATE TABLE counter AS SELECT 0 AS value");
  const auto count_up = [&] {
    Connection connection = connect(story.daemon);
    for (int i = 0; i < 100; ++i) {
      Transaction transaction = must(connection.begin());
      const std::string value = ask(transaction, "SELECT value FROM counter");
      ask(transaction, "UPDATE counter SET value = ?", Parameters::of(std::stoi(value) + 1));
      must(transaction.commit());
    }
  };
  std::thread other(count_up);
  count_up();
  other.join();
  cr_assert(ask(story.two, "SELECT value FROM counter") == "200");
}

Test(transaction, as_sql_text_means_the_same) {
  Story story;
  ask(story.one, "BEGIN");
  ask(story.one, "INSERT INTO t VALUES (1)");
  cr_assert(story.rows(story.one) == "1");
  cr_assert(story.rows(story.two) == "");
  ask(story.one, "SAVEPOINT s");
  ask(story.one, "INSERT INTO t VALUES (2)");
  ask(story.one, "ROLLBACK TO s");
  ask(story.one, "RELEASE s");
  ask(story.one, "COMMIT");
  cr_assert(story.rows(story.two) == "1");
  ask(story.one, "BEGIN IMMEDIATE TRANSACTION");
  ask(story.one, "DELETE FROM t");
  ask(story.one, "ROLLBACK");
  cr_assert(story.rows(story.two) == "1");
}

Test(transaction, as_sql_text_is_refused_out_of_order) {
  Story story;
  expect_error(story.one.execute("COMMIT"), ErrorCode::kTransactionState);
  expect_error(story.one.execute("ROLLBACK"), ErrorCode::kTransactionState);
  ask(story.one, "BEGIN");
  expect_error(story.one.execute("BEGIN"), ErrorCode::kTransactionState);
  ask(story.one, "COMMIT");
  cr_assert(ask(story.one, "SELECT 1") == "1");
}

Test(transaction, as_sql_text_that_sqlite_rolled_back_refuses_commit) {
  Story story;
  ask(story.one, "BEGIN");
  ask(story.one, "INSERT INTO t VALUES (1)");
  const Error error =
      expect_error(story.one.execute("INSERT OR ROLLBACK INTO t VALUES (1)"), ErrorCode::kConstraint);
  cr_assert_eq(error.transaction, TransactionState::kAborted);
  expect_error(story.one.execute("INSERT INTO t VALUES (2)"), ErrorCode::kTransactionAborted);
  expect_error(story.one.execute("COMMIT"), ErrorCode::kTransactionAborted);
  ask(story.one, "ROLLBACK");
  cr_assert(story.rows(story.one) == "");
}

Test(transaction, as_sql_text_does_not_leak_to_another_session) {
  Story story;
  ask(story.one, "BEGIN");
  expect_error(story.two.execute("COMMIT"), ErrorCode::kTransactionState);
  ask(story.one, "ROLLBACK");
}

Test(transaction, deferred_foreign_keys_fail_the_commit_and_leave_it_open) {
  Story story("[databases.main]\nfile = \"main.db\"\nforeign_keys = true\n");
  ask(story.one, "CREATE TABLE child (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)");
  Transaction transaction = must(story.one.begin());
  ask(transaction, "INSERT INTO child VALUES (9)");
  expect_error(transaction.commit(), ErrorCode::kConstraint);
  ask(transaction, "INSERT INTO t VALUES (9)");
  cr_assert(transaction.commit().has_value());
  cr_assert(story.rows(story.two) == "9");
}

Test(transaction, execute_many_is_all_or_nothing) {
  Story story;
  ParameterRows rows(1);
  for (const int value : {1, 2, 3, 2, 5}) {
    rows.append(ValueView::integer(value));
    rows.end_row();
  }
  const Error error =
      expect_error(story.one.execute_many("INSERT INTO t VALUES (?)", rows), ErrorCode::kConstraint);
  cr_assert_eq(error.row, 3);
  cr_assert(story.rows(story.one) == "");
  rows.clear();
  for (int value = 1; value <= 10'000; ++value) {
    rows.append(ValueView::integer(value));
    rows.end_row();
  }
  const Summary summary = must(story.one.execute_many("INSERT INTO t VALUES (?)", rows));
  cr_assert_eq(summary.changes, 10'000);
  cr_assert(ask(story.two, "SELECT count(*), sum(a) FROM t") == "10000|50005000");
}

Test(transaction, programs_are_atomic_and_skip_by_condition) {
  Story story;
  Program program;
  program.steps.push_back({"INSERT INTO t VALUES (1)", {}, {}, false});
  program.steps.push_back({"SELECT a FROM t WHERE a = 7", {}, {}, false});
  program.steps.push_back({"INSERT INTO t VALUES (2)", {}, {{1, Outcome::kReturnedNone}}, false});
  program.steps.push_back({"INSERT INTO t VALUES (3)", {}, {{1, Outcome::kReturnedRows}}, false});
  const ProgramResult result = must(story.one.run(program));
  cr_assert_eq(result.steps.size(), 4);
  cr_assert(!result.steps[2].skipped && result.steps[3].skipped);
  cr_assert(story.rows(story.one) == "1 2");

  Program failing;
  failing.steps.push_back({"INSERT INTO t VALUES (4)", {}, {}, false});
  failing.steps.push_back({"INSERT INTO t VALUES (1)", {}, {}, false});
  const auto failed = story.one.run(failing);
  cr_assert(!failed.has_value() || failed->steps[1].error.has_value());
  cr_assert(story.rows(story.one) == "1 2");
}

Test(transaction, a_summary_tells_changes_and_the_last_rowid) {
  Story story;
  const ResultSet inserted = must(story.one.execute("INSERT INTO t VALUES (5), (6)"));
  cr_assert_eq(inserted.summary().changes, 2);
  cr_assert_eq(inserted.summary().last_insert_rowid, 6);
  const ResultSet updated = must(story.one.execute("UPDATE t SET a = a + 10"));
  cr_assert_eq(updated.summary().changes, 2);
  cr_assert(ask(story.one, "DELETE FROM t RETURNING a") == "15 16");
}

Test(transaction_group, sees_one_state_whatever_is_committed_and_each_ends_by_itself) {
  Story story;
  ask(story.two, "INSERT INTO t VALUES (1)");
  std::vector<Transaction> group = must(story.one.begin_group(5));
  ask(story.two, "INSERT INTO t VALUES (2)");
  for (Transaction& transaction : group) cr_assert(ask(transaction, "SELECT a FROM t") == "1");
  must(group[0].commit());
  must(group[1].rollback());
  ask(story.two, "INSERT INTO t VALUES (3)");
  cr_assert(ask(group[4], "SELECT a FROM t") == "1");
  const auto refused = group[2].execute("DELETE FROM t");
  cr_assert(!refused && refused.error().code == ErrorCode::kReadOnly);
  group.clear();
  std::vector<Transaction> next = must(story.one.begin_group(2));
  for (Transaction& transaction : next) cr_assert(ask(transaction, "SELECT a FROM t ORDER BY a") == "1 2 3");
}

Test(transaction_group, of_as_many_as_there_are_connections_is_opened_and_of_one_more_refused) {
  Story story("[limits]\nreader_connections_max = 6\npinned_connections_max = 2\n");
  const auto refused = story.one.begin_group(5);
  cr_assert(!refused && refused.error().code == ErrorCode::kLimit);
  cr_assert(refused.error().message.find("reader_connections_max") != std::string::npos);
  const std::vector<Transaction> group = must(story.one.begin_group(4));
  cr_assert_eq(group.size(), 4u);
}

Test(transaction_group, that_does_not_get_its_connections_says_which_limit_it_was) {
  Story story("[limits]\nreader_connections_max = 4\npinned_connections_max = 0\nsiblings_wait_ms_max = 50\n");
  std::optional<Transaction> holder = must(story.two.begin(TransactionMode::kRead));
  const auto refused = story.one.begin_group(4);
  cr_assert(!refused && refused.error().code == ErrorCode::kLimit);
  cr_assert(refused.error().message.find("siblings_wait_ms_max") != std::string::npos);
  holder.reset();
  must(story.one.begin_group(4));
}
