// BulkWriter: batches under way, the row of an error, and the sum of the answers.
#include "skua/bulk_writer.h"

#include <criterion/criterion.h>

#include <algorithm>

#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

// A batch has 128 KiB; a thousand rows of this size are a little more.
const std::string kPayload(128, 'x');
constexpr std::int64_t kBatchRowsMaximum = 1'000;

std::int64_t rows_in(ReceivedRequest& request) {
  require(request.root().isExecuteMany(), "expected a batch");
  return request.root().getExecuteMany().getRows().getRowCount();
}

Summary changed(std::int64_t rows) {
  Summary summary;
  summary.changes = static_cast<std::uint64_t>(rows);
  summary.last_insert_rowid = rows;
  return summary;
}

Transaction begin(FakeDaemon& daemon, Connection& connection) {
  daemon.send_done(2);
  Transaction transaction = must(connection.begin());
  (void)daemon.receive();
  return transaction;
}

// Appends rows until one is refused, or all are taken.
Status append_rows(BulkWriter& writer, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    writer.append(ValueView::integer(i));
    writer.append(ValueView::text(kPayload));
    SKUA_TRY(writer.end_row());
  }
  return {};
}

}  // namespace

Test(bulk_writer, sends_batches_and_adds_up_their_answers) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  std::int64_t received = 0;
  daemon.run_beside([&] {
    while (received < 20'000) {
      ReceivedRequest request = daemon.receive();
      const std::int64_t rows = rows_in(request);
      require(rows <= kBatchRowsMaximum, "a batch is too large");
      require(request.root().getTransaction() == 1, "a batch is outside of the transaction");
      received += rows;
      daemon.send_done(request.root().getId(), changed(rows));
    }
  });
  BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
  must(append_rows(writer, 20'000));
  const Summary summary = must(writer.finish());
  daemon.join();
  cr_assert_eq(summary.changes, 20'000);
  cr_assert_eq(writer.row_count(), 20'000);
  cr_assert_eq(received, 20'000);
}

Test(bulk_writer, has_at_most_four_batches_under_way) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  std::vector<std::uint64_t> unanswered;
  daemon.run_beside([&] {
    for (int i = 0; i < 4; ++i) unanswered.push_back(daemon.receive().root().getId());
    require(daemon.is_silent_for_ms(50), "a fifth batch came before the first was answered");
    for (const std::uint64_t id : unanswered) daemon.send_done(id, changed(1));
    while (true) {
      ReceivedRequest request = daemon.receive();
      daemon.send_done(request.root().getId(), changed(1));
      if (request.root().isPing()) break;
    }
  });
  BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
  must(append_rows(writer, 10'000));
  must(writer.finish());
  must(connection.ping());
  daemon.join();
  const std::vector<std::uint64_t> expected = {3, 4, 5, 6};
  cr_assert(unanswered == expected);
}

Test(bulk_writer, counts_the_row_of_an_error_over_all_batches) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  std::int64_t rows_before = 0;
  std::vector<std::uint64_t> cancelled;
  daemon.run_beside([&] {
    for (int i = 0; i < 2; ++i) {
      ReceivedRequest request = daemon.receive();
      rows_before += rows_in(request);
      daemon.send_done(request.root().getId(), changed(1));
    }
    ReceivedRequest bad = daemon.receive();
    Error error = make_error(ErrorCode::kConstraint, "UNIQUE constraint failed");
    error.row = 17;
    daemon.send(error_response(bad.root().getId(), error));
    while (auto request = daemon.try_receive()) {
      if (request->root().isCancel()) cancelled.push_back(request->root().getCancel().getRequest());
      if (request->root().isRollback()) break;
    }
  });
  {
    BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
    Status status = append_rows(writer, 100'000);
    cr_assert(!status);
    cr_assert_eq(status.error().code, ErrorCode::kConstraint);
    cr_assert_eq(status.error().row, rows_before + 17);
    // It is the writer's last word.
    cr_assert_eq(append_rows(writer, 1).error().row, rows_before + 17);
    cr_assert_eq(writer.finish().error().row, rows_before + 17);
  }
  { const Transaction ended = std::move(transaction); }
  daemon.join();
  // What was sent behind the bad batch is cancelled.
  for (const std::uint64_t id : cancelled) cr_assert_gt(id, 5);
}

Test(bulk_writer, leaves_nothing_unsent_when_it_is_given_up) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  {
    Transaction transaction = begin(daemon, connection);
    BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
    // More than the socket holds, and nobody reads yet.
    must(append_rows(writer, 4 * kBatchRowsMaximum));
    daemon.run_beside([&daemon] {
      while (!daemon.receive().root().isRollback()) {
      }
    });
  }
  // The client does nothing more, and the rollback is there.
  daemon.join();
}

Test(bulk_writer, needs_no_rows) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
  cr_assert_eq(must(writer.finish()).changes, 0);
}

Test(bulk_writer, keeps_the_row_of_a_connection_error_unknown) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  daemon.stop_sending();
  BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
  must(append_rows(writer, 1));
  const auto summary = writer.finish();
  cr_assert_eq(summary.error().code, ErrorCode::kLost);
  cr_assert_eq(summary.error().row, -1);
}

Test(bulk_writer, ends_when_it_is_cancelled_between_batches) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
  must(append_rows(writer, 10));
  connection.canceller().cancel();
  cr_assert_eq(writer.finish().error().code, ErrorCode::kCancelled);
}

Test(bulk_writer, refuses_a_transaction_that_has_ended) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  daemon.send_done(3);
  must(transaction.commit());
  BulkWriter writer(transaction, "INSERT INTO t VALUES (?, ?)", 2);
  must(append_rows(writer, 1));
  cr_assert_eq(writer.finish().error().code, ErrorCode::kUsage);
}

Test(bulk_writer, sends_rows_without_columns_too) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Transaction transaction = begin(daemon, connection);
  BulkWriter writer(transaction, "INSERT INTO t DEFAULT VALUES", 0);
  for (int i = 0; i < 65'537; ++i) must(writer.end_row());
  daemon.send_done(3, changed(65'536));
  daemon.run_beside([&daemon] {
    ReceivedRequest first = daemon.receive();
    require(rows_in(first) == 65'536, "expected a full batch");
    (void)daemon.receive();
    daemon.send_done(4, changed(1));
  });
  cr_assert_eq(must(writer.finish()).changes, 65'537);
}

Test(bulk_writer, sends_independent_rows_outside_of_transactions_one_batch_after_the_other) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  std::int64_t received = 0;
  daemon.run_beside([&] {
    while (received < 10'000) {
      ReceivedRequest request = daemon.receive();
      require(request.root().getTransaction() == 0, "a batch is in a transaction");
      require(request.root().getExecuteMany().getIndependent(), "the rows are not independent");
      require(request.root().getExecuteMany().getDurability() == wire::Durability::RELAXED, "another durability");
      if (received == 0) require(daemon.is_silent_for_ms(50), "a batch came before the one before it was answered");
      received += rows_in(request);
      daemon.send_done(request.root().getId(), changed(rows_in(request)));
    }
  });
  RequestOptions options;
  options.durability = Durability::kRelaxed;
  BulkWriter writer(connection, "INSERT INTO t VALUES (?, ?)", 2, options);
  must(append_rows(writer, 10'000));
  cr_assert_eq(must(writer.finish()).changes, 10'000);
  daemon.join();
}

Test(bulk_writer, says_how_many_independent_rows_are_committed) {
  // The row of the daemon's error, in the second batch: one that failed, or none.
  for (const std::int64_t row : {17, -1}) {
    FakeDaemon daemon;
    Connection connection = daemon.connect();
    std::int64_t rows_before = 0;
    daemon.run_beside([&] {
      ReceivedRequest first = daemon.receive();
      rows_before = rows_in(first);
      daemon.send_done(first.root().getId(), changed(rows_before));
      Error error = make_error(ErrorCode::kConstraint, "UNIQUE constraint failed");
      error.row = row;
      daemon.send(error_response(daemon.receive().root().getId(), error));
    });
    BulkWriter writer(connection, "INSERT INTO t VALUES (?, ?)", 2);
    const Status status = append_rows(writer, 100'000);
    daemon.join();
    cr_assert_eq(status.error().row, rows_before + std::max<std::int64_t>(row, 0));
  }
}

Test(bulk_writer, says_how_many_independent_rows_are_committed_for_sure_when_the_connection_is_lost) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  std::int64_t rows_before = 0;
  daemon.run_beside([&] {
    ReceivedRequest first = daemon.receive();
    rows_before = rows_in(first);
    daemon.send_done(first.root().getId(), changed(rows_before));
    (void)daemon.receive();
    daemon.hang_up();
  });
  BulkWriter writer(connection, "INSERT INTO t VALUES (?, ?)", 2);
  const Status status = append_rows(writer, 100'000);
  daemon.join();
  cr_assert_eq(status.error().code, ErrorCode::kInDoubt);
  cr_assert_eq(status.error().row, rows_before);
}
