// Transaction: its number, its ends, and its destructor.
#include "skua/transaction.h"

#include <criterion/criterion.h>

#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

Test(transaction, begins_under_a_number_of_its_own) {
  FakeDaemon daemon;
  Connection connection = daemon.connect({.database = "main"});
  daemon.send_done(2);
  Transaction first = must(connection.begin());
  daemon.send_done(3);
  Transaction second =
      must(connection.begin(TransactionMode::kRead, RequestOptions().with_database("other").with_durability(Durability::kRelaxed)));
  cr_assert_eq(first.number(), 1);
  cr_assert_eq(second.number(), 2);

  ReceivedRequest request = daemon.receive();
  cr_assert_eq(request.root().getTransaction(), 1);
  cr_assert(request.root().getDatabase() == "main");
  cr_assert(request.root().getBegin().getMode() == wire::TransactionMode::WRITE);
  cr_assert(request.root().getBegin().getOnError() == wire::TransactionErrorMode::KEEP);
  cr_assert(request.root().getBegin().getDurability() == wire::Durability::FULL);
  ReceivedRequest other = daemon.receive();
  cr_assert(other.root().getBegin().getMode() == wire::TransactionMode::READ);
  cr_assert(other.root().getBegin().getDurability() == wire::Durability::RELAXED);

  // Its statements go to its database.
  daemon.send_done(4);
  must(second.execute("SELECT 1"));
  ReceivedRequest execute = daemon.receive();
  cr_assert_eq(execute.root().getTransaction(), 2);
  cr_assert(execute.root().getDatabase() == "other");
}

Test(transaction, ends_with_commit_or_rollback) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  for (const bool commits : {true, false}) {
    const std::uint64_t id = commits ? 2 : 4;
    daemon.send_done(id);
    {
      Transaction transaction = must(connection.begin());
      cr_assert(transaction.is_open());
      daemon.send_done(id + 1);
      must(commits ? transaction.commit() : transaction.rollback());
      cr_assert(!transaction.is_open());
      cr_assert_eq(transaction.execute("SELECT 1").error().code, ErrorCode::kUsage);
      cr_assert_eq(transaction.commit().error().code, ErrorCode::kUsage);
    }
    (void)daemon.receive();
    cr_assert_eq(daemon.receive().root().which(), commits ? wire::Request::COMMIT : wire::Request::ROLLBACK);
  }
  // The destructors sent nothing more.
  daemon.send_done(6);
  must(connection.ping());
  cr_assert(daemon.receive().root().isPing());
}

Test(transaction, is_rolled_back_by_its_destructor_without_waiting) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  { const Transaction transaction = must(connection.begin()); }
  (void)daemon.receive();
  ReceivedRequest request = daemon.receive();
  cr_assert(request.root().isRollback());
  cr_assert_eq(request.root().getTransaction(), 1);
  daemon.send_error(3, ErrorCode::kTransactionState);
  daemon.send_done(4);
  cr_assert(connection.ping().has_value());
}

Test(transaction, is_rolled_back_when_another_is_moved_over_it) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  Transaction transaction = must(connection.begin());
  daemon.send_done(3);
  transaction = must(connection.begin());
  cr_assert_eq(transaction.number(), 2);
  (void)daemon.receive();
  (void)daemon.receive();
  ReceivedRequest request = daemon.receive();
  cr_assert(request.root().isRollback());
  cr_assert_eq(request.root().getTransaction(), 1);
}

Test(transaction, stays_open_after_an_error_and_a_failed_commit) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  Transaction transaction = must(connection.begin());
  daemon.send_error(3, ErrorCode::kConstraint);
  cr_assert_eq(transaction.execute("INSERT").error().code, ErrorCode::kConstraint);
  daemon.send_error(4, ErrorCode::kConstraint);
  cr_assert_eq(transaction.commit().error().code, ErrorCode::kConstraint);
  cr_assert(transaction.is_open());
}

Test(transaction, sets_and_leaves_savepoints) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  Transaction transaction = must(connection.begin());
  daemon.send_done(3);
  must(transaction.savepoint("here"));
  daemon.send_done(4);
  must(transaction.rollback_to("here"));
  daemon.send_done(5);
  must(transaction.release("here"));
  (void)daemon.receive();
  for (const auto action :
       {wire::SavepointAction::SET, wire::SavepointAction::ROLLBACK_TO, wire::SavepointAction::RELEASE}) {
    ReceivedRequest request = daemon.receive();
    cr_assert(request.root().getSavepoint().getAction() == action);
    cr_assert(request.root().getSavepoint().getName() == "here");
    cr_assert_eq(request.root().getTransaction(), 1);
  }
}

Test(transaction, is_not_there_when_begin_fails) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_error(2, ErrorCode::kReadOnly);
  cr_assert_eq(connection.begin().error().code, ErrorCode::kReadOnly);
  daemon.send_done(3);
  must(connection.ping());
  (void)daemon.receive();
  cr_assert(daemon.receive().root().isPing());
}

Test(transaction_group, is_opened_by_one_request_under_numbers_of_its_own) {
  FakeDaemon daemon;
  Connection connection = daemon.connect({.database = "main"});
  daemon.send_done(2);
  std::vector<Transaction> group = must(connection.begin_group(3, RequestOptions().with_deadline_ms(70'000)));
  cr_assert_eq(group.size(), 3u);
  ReceivedRequest request = daemon.receive();
  cr_assert(request.root().getBegin().getMode() == wire::TransactionMode::READ);
  cr_assert(request.root().getBegin().getOnError() == wire::TransactionErrorMode::KEEP);
  cr_assert(request.root().getDatabase() == "main");
  cr_assert_eq(request.root().getDeadlineMs(), 70'000);
  const auto siblings = request.root().getBegin().getSiblings();
  cr_assert_eq(siblings.size(), 2);
  cr_assert_eq(request.root().getTransaction(), group[0].number());
  cr_assert_eq(siblings[0], group[1].number());
  cr_assert_eq(siblings[1], group[2].number());

  daemon.send_done(3);
  must(group[2].execute("SELECT 1"));
  cr_assert_eq(daemon.receive().root().getTransaction(), group[2].number());
  daemon.send_done(4);
  must(group[0].commit());
  cr_assert_eq(daemon.receive().root().getTransaction(), group[0].number());
}

Test(transaction_group, may_be_of_one_but_not_of_none) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  cr_assert_eq(connection.begin_group(0).error().code, ErrorCode::kUsage);
  daemon.send_done(2);
  cr_assert_eq(must(connection.begin_group(1)).size(), 1u);
  cr_assert_eq(daemon.receive().root().getBegin().getSiblings().size(), 0);
}

// An old daemon would take the request for a begin of one transaction, and the others would not be there.
Test(transaction_group, is_not_asked_of_a_daemon_that_does_not_know_it) {
  FakeDaemon daemon;
  daemon.features = 0;
  Connection connection = daemon.connect();
  const auto group = connection.begin_group(2);
  cr_assert_eq(group.error().code, ErrorCode::kVersion);
  cr_assert(group.error().message.find("1.2.3") != std::string::npos);
  daemon.send_done(2);
  must(connection.ping());
  cr_assert(daemon.receive().root().isPing(), "nothing was sent for it");
}

Test(transaction_group, whose_begin_failed_after_it_was_accepted_is_rolled_back) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Error error = make_error(ErrorCode::kDeadline, "too late");
  error.transaction = TransactionState::kAborted;
  daemon.send(error_response(2, error));
  cr_assert_eq(connection.begin_group(2).error().code, ErrorCode::kDeadline);
  (void)daemon.receive();
  for (const std::uint32_t number : {1, 2}) {
    ReceivedRequest request = daemon.receive();
    cr_assert(request.root().isRollback());
    cr_assert_eq(request.root().getTransaction(), number);
  }
  for (const std::uint64_t id : {3, 4, 5}) daemon.send_done(id);
  must(connection.ping());
  // One that was refused at once left nothing.
  (void)daemon.receive();
  daemon.send_error(6, ErrorCode::kLimit);
  cr_assert_eq(connection.begin_group(2).error().code, ErrorCode::kLimit);
  (void)daemon.receive();
  daemon.send_done(7);
  must(connection.ping());
  cr_assert(daemon.receive().root().isPing());
}
