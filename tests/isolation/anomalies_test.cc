// The classic anomalies, each tried with two or three sessions: which outcome happens in its place.
//
// Write transactions have the writer for themselves from their begin, so the second one waits until the first
// has ended; readers see the snapshot of their begin. The names are those of Adya, "Weak Consistency" (1999),
// in the order of github.com/ept/hermitage; the last one is from Fekete, O'Neil and O'Neil, "A read-only
// transaction anomaly under snapshot isolation" (2004).
#include <criterion/criterion.h>

#include <atomic>
#include <future>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// Sessions of a daemon with a table t of (1, 10) and (2, 20).
struct Story {
  Story() : one(connect(daemon)), two(connect(daemon)), observer(connect(daemon)) {
    ask(one, "CREATE TABLE t (id INTEGER PRIMARY KEY, value INTEGER)");
    ask(one, "INSERT INTO t VALUES (1, 10), (2, 20)");
  }
  std::string all() { return ask(observer, "SELECT id, value FROM t ORDER BY id"); }

  // Starts what must wait for the writer, and returns when the daemon says that it does.
  template <class Body>
  auto waiting(Body body) {
    auto result = std::async(std::launch::async, std::move(body));
    while (ask_writes_waiting() == 0) {
      require(result.wait_for(std::chrono::seconds(0)) != std::future_status::ready, "it did not wait");
    }
    return result;
  }
  std::int64_t ask_writes_waiting() {
    const ResultSet stats = must(observer.stats());
    for (const Row row : stats) {
      if (must(row.get<std::string>("name")) == "writes_waiting") return must(row.get<std::int64_t>("value"));
    }
    throw Failure("there is no statistic named writes_waiting");
  }

  RealDaemon daemon;
  Connection one;
  Connection two;
  Connection observer;
};

constexpr std::string_view kRead = "SELECT id, value FROM t ORDER BY id";

RequestOptions deadline(std::uint32_t milliseconds) {
  RequestOptions options;
  options.deadline_ms = milliseconds;
  return options;
}

}  // namespace

Test(isolation, no_dirty_write_the_second_writer_waits_for_the_first) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "UPDATE t SET value = 11 WHERE id = 1");
  auto second = story.waiting([&] {
    Transaction transaction = must(story.two.begin());
    ask(transaction, "UPDATE t SET value = 12 WHERE id = 1");
    ask(transaction, "UPDATE t SET value = 22 WHERE id = 2");
    must(transaction.commit());
  });
  ask(first, "UPDATE t SET value = 21 WHERE id = 2");
  cr_assert(story.all() == "1|10 2|20");
  must(first.commit());
  second.get();
  cr_assert(story.all() == "1|12 2|22");
}

Test(isolation, no_dirty_write_by_a_statement_outside_of_transactions) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "UPDATE t SET value = 11 WHERE id = 1");
  auto second = story.waiting([&] { ask(story.two, "UPDATE t SET value = value + 100"); });
  ask(first, "UPDATE t SET value = 21 WHERE id = 2");
  must(first.commit());
  second.get();
  cr_assert(story.all() == "1|111 2|121");
}

Test(isolation, no_dirty_read_in_or_outside_of_a_transaction) {
  Story story;
  Transaction writer = must(story.one.begin());
  ask(writer, "UPDATE t SET value = 101 WHERE id = 1");
  cr_assert(ask(story.two, kRead) == "1|10 2|20");
  Transaction reader = must(story.two.begin(TransactionMode::kRead));
  cr_assert(ask(reader, kRead) == "1|10 2|20");
  must(writer.commit());
  cr_assert(ask(story.two, kRead) == "1|101 2|20");
  must(reader.commit());
}

Test(isolation, no_aborted_read) {
  Story story;
  Transaction writer = must(story.one.begin());
  ask(writer, "UPDATE t SET value = 101 WHERE id = 1");
  Transaction reader = must(story.two.begin(TransactionMode::kRead));
  cr_assert(ask(reader, kRead) == "1|10 2|20");
  must(writer.rollback());
  cr_assert(ask(reader, kRead) == "1|10 2|20");
  must(reader.commit());
  cr_assert(story.all() == "1|10 2|20");
}

Test(isolation, no_aborted_read_of_what_sqlite_rolled_back) {
  Story story;
  Transaction writer = must(story.one.begin());
  ask(writer, "UPDATE t SET value = 101 WHERE id = 1");
  cr_assert(story.all() == "1|10 2|20");
  expect_error(writer.execute("INSERT OR ROLLBACK INTO t VALUES (1, 0)"), ErrorCode::kConstraint);
  cr_assert(story.all() == "1|10 2|20");
  must(writer.rollback());
  cr_assert(story.all() == "1|10 2|20");
}

Test(isolation, no_intermediate_read) {
  Story story;
  Transaction writer = must(story.one.begin());
  ask(writer, "UPDATE t SET value = 101 WHERE id = 1");
  cr_assert(story.all() == "1|10 2|20");
  ask(writer, "UPDATE t SET value = 11 WHERE id = 1");
  cr_assert(story.all() == "1|10 2|20");
  must(writer.commit());
  cr_assert(story.all() == "1|11 2|20");
}

// Each of two transactions would have to see what the other wrote.
Test(isolation, no_circular_information_flow) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "UPDATE t SET value = 11 WHERE id = 1");
  auto second = story.waiting([&] {
    Transaction transaction = must(story.two.begin());
    ask(transaction, "UPDATE t SET value = 22 WHERE id = 2");
    std::string seen = ask(transaction, "SELECT value FROM t WHERE id = 1");
    must(transaction.commit());
    return seen;
  });
  cr_assert(ask(first, "SELECT value FROM t WHERE id = 2") == "20");
  must(first.commit());
  cr_assert(second.get() == "11");
}

// A reader that has seen a transaction keeps seeing all of it, whatever overwrites it.
Test(isolation, no_observed_transaction_vanishes) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "UPDATE t SET value = 11 WHERE id = 1");
  auto second = story.waiting([&] { return must(story.two.begin()); });
  ask(first, "UPDATE t SET value = 19 WHERE id = 2");
  must(first.commit());
  Transaction overwriting = second.get();
  ask(overwriting, "UPDATE t SET value = 12 WHERE id = 1");
  Transaction reader = must(story.observer.begin(TransactionMode::kRead));
  cr_assert(ask(reader, "SELECT value FROM t WHERE id = 1") == "11");
  ask(overwriting, "UPDATE t SET value = 18 WHERE id = 2");
  cr_assert(ask(reader, "SELECT value FROM t WHERE id = 2") == "19");
  must(overwriting.commit());
  cr_assert(ask(reader, kRead) == "1|11 2|19");
  must(reader.commit());
  cr_assert(story.all() == "1|12 2|18");
}

Test(isolation, no_predicate_many_preceders_for_a_reader) {
  Story story;
  Transaction reader = must(story.one.begin(TransactionMode::kRead));
  cr_assert(ask(reader, "SELECT id FROM t WHERE value = 30") == "");
  ask(story.two, "INSERT INTO t VALUES (3, 30)");
  cr_assert(ask(reader, "SELECT id FROM t WHERE value % 3 = 0") == "");
  must(reader.commit());
  cr_assert(ask(story.one, "SELECT id FROM t WHERE value % 3 = 0") == "3");
}

// A predicate that a writer evaluates sees what the writer before it left, not what was there when it was sent.
Test(isolation, no_predicate_many_preceders_for_a_writer) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "UPDATE t SET value = value + 10");
  auto second = story.waiting([&] { return ask(story.two, "DELETE FROM t WHERE value = 20 RETURNING id"); });
  must(first.commit());
  cr_assert(second.get() == "1");
  cr_assert(story.all() == "2|30");
}

Test(isolation, no_lost_update) {
  Story story;
  Transaction first = must(story.one.begin());
  cr_assert(ask(first, "SELECT value FROM t WHERE id = 1") == "10");
  auto second = story.waiting([&] {
    Transaction transaction = must(story.two.begin());
    const std::string seen = ask(transaction, "SELECT value FROM t WHERE id = 1");
    ask(transaction, "UPDATE t SET value = ? WHERE id = 1", Parameters::of(std::stoi(seen) + 1));
    must(transaction.commit());
  });
  ask(first, "UPDATE t SET value = 11 WHERE id = 1");
  must(first.commit());
  second.get();
  cr_assert(story.all() == "1|12 2|20");
}

// Reading in a snapshot and writing later what was read is what a lost update would need: a reader cannot
// write.
Test(isolation, a_read_transaction_cannot_become_a_writer) {
  Story story;
  Transaction reader = must(story.one.begin(TransactionMode::kRead));
  cr_assert(ask(reader, "SELECT value FROM t WHERE id = 1") == "10");
  ask(story.two, "UPDATE t SET value = 11 WHERE id = 1");
  expect_error(reader.execute("UPDATE t SET value = 12 WHERE id = 1"), ErrorCode::kReadOnly);
  cr_assert(story.all() == "1|11 2|20");
  must(reader.commit());
}

Test(isolation, no_read_skew) {
  Story story;
  Transaction reader = must(story.one.begin(TransactionMode::kRead));
  cr_assert(ask(reader, "SELECT value FROM t WHERE id = 1") == "10");
  Transaction writer = must(story.two.begin());
  ask(writer, "UPDATE t SET value = 12 WHERE id = 1");
  ask(writer, "UPDATE t SET value = 18 WHERE id = 2");
  must(writer.commit());
  cr_assert(ask(reader, "SELECT value FROM t WHERE id = 2") == "20");
  must(reader.commit());
}

// The snapshot is that of begin, also if the first statement comes later.
Test(isolation, a_read_transaction_sees_the_moment_of_its_begin) {
  Story story;
  Transaction reader = must(story.one.begin(TransactionMode::kRead));
  ask(story.two, "UPDATE t SET value = 12 WHERE id = 1");
  cr_assert(ask(reader, kRead) == "1|10 2|20");
  must(reader.commit());
}

Test(isolation, a_program_that_reads_has_one_snapshot) {
  Story story;
  Program program;
  constexpr int kReads = 50;
  for (int i = 0; i < kReads; ++i) program.steps.push_back({std::string(kRead), {}, {}, false});
  std::atomic<bool> stop{false};
  auto writer = std::async(std::launch::async, [&] {
    for (int i = 0; !stop; ++i) ask(story.two, "UPDATE t SET value = ?", Parameters::of(i));
  });
  for (int round = 0; round < 20; ++round) {
    const ProgramResult result = must(story.one.run(program));
    const std::string first = text_of(result.steps.front().rows);
    for (const StepResult& step : result.steps) cr_assert(text_of(step.rows) == first);
  }
  stop = true;
  writer.get();
}

// Two transactions read both rows, and each writes another one.
Test(isolation, no_write_skew) {
  Story story;
  Transaction first = must(story.one.begin());
  cr_assert(ask(first, "SELECT sum(value) FROM t") == "30");
  auto second = story.waiting([&] {
    Transaction transaction = must(story.two.begin());
    std::string seen = ask(transaction, "SELECT sum(value) FROM t");
    ask(transaction, "UPDATE t SET value = value - 25 WHERE id = 2");
    must(transaction.commit());
    return seen;
  });
  ask(first, "UPDATE t SET value = value - 25 WHERE id = 1");
  must(first.commit());
  cr_assert(second.get() == "5");
}

// The same with a predicate: each would insert what the other looked for.
Test(isolation, no_write_skew_of_predicates) {
  Story story;
  Transaction first = must(story.one.begin());
  cr_assert(ask(first, "SELECT count(*) FROM t WHERE value % 3 = 0") == "0");
  auto second = story.waiting([&] {
    Transaction transaction = must(story.two.begin());
    std::string seen = ask(transaction, "SELECT count(*) FROM t WHERE value % 3 = 0");
    must(transaction.commit());
    return seen;
  });
  ask(first, "INSERT INTO t VALUES (3, 30)");
  must(first.commit());
  cr_assert(second.get() == "1");
}

// Row 1 is a checking account, row 2 savings. A withdrawal that overdraws pays a fee, by what it read; a
// deposit comes between; a reader sees the deposit and not the withdrawal. Under snapshot isolation all three
// succeed, though no order of them explains what the reader saw together with the fee.
Test(isolation, no_read_only_anomaly) {
  Story story;
  ask(story.one, "UPDATE t SET value = 0");
  Transaction withdrawal = must(story.one.begin());
  cr_assert(ask(withdrawal, kRead) == "1|0 2|0");
  auto deposit = story.waiting([&] { ask(story.two, "UPDATE t SET value = value + 20 WHERE id = 2"); });
  // The deposit waits for the withdrawal, so nobody sees it before.
  cr_assert(story.all() == "1|0 2|0");
  ask(withdrawal, "UPDATE t SET value = -11 WHERE id = 1");
  must(withdrawal.commit());
  deposit.get();
  cr_assert(story.all() == "1|-11 2|20");
}

Test(isolation, a_waiting_begin_ends_at_its_own_deadline) {
  Story story;
  Transaction first = must(story.one.begin());
  ask(first, "UPDATE t SET value = 11 WHERE id = 1");
  expect_error(story.two.begin(TransactionMode::kWrite, deadline(50)), ErrorCode::kDeadline);
  expect_error(story.two.execute("UPDATE t SET value = 12", {}, deadline(50)), ErrorCode::kDeadline);
  ask(first, "UPDATE t SET value = 21 WHERE id = 2");
  must(first.commit());
  cr_assert(story.all() == "1|11 2|21");
  Transaction next = must(story.two.begin(TransactionMode::kWrite, deadline(60'000)));
  must(next.commit());
}

// A deadline that passes in the queue takes nobody else's turn.
Test(isolation, a_begin_that_gave_up_lets_those_behind_it_go_on) {
  Story story;
  Transaction first = must(story.one.begin());
  Connection late = connect(story.daemon);
  auto gives_up = story.waiting([&] { return story.two.begin(TransactionMode::kWrite, deadline(300)); });
  auto goes_on = std::async(std::launch::async, [&] { ask(late, "UPDATE t SET value = 0"); });
  expect_error(gives_up.get(), ErrorCode::kDeadline);
  must(first.commit());
  goes_on.get();
  cr_assert(story.all() == "1|0 2|0");
}
