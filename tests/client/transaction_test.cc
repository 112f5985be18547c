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
      must(connection.begin(TransactionMode::kRead, {.database = "other", .durability = Durability::kRelaxed}));
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
