// Canceller: which request a ring hits.
#include <criterion/criterion.h>

#include <pthread.h>

#include <csignal>
#include <optional>

#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

// Receives a cancel of that request and answers both.
void expect_cancel(FakeDaemon& daemon, std::uint64_t request) {
  ReceivedRequest cancel = daemon.receive();
  require(cancel.root().isCancel(), "expected a cancel");
  require(cancel.root().getCancel().getRequest() == request, "the cancel is of another request");
  daemon.send_done(cancel.root().getId());
  daemon.send_error(request, ErrorCode::kCancelled);
}

}  // namespace

Test(canceller, cancels_the_request_that_is_waited_for) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  const Canceller canceller = connection.canceller();
  daemon.run_beside([&] {
    (void)daemon.receive();
    canceller.cancel();
    expect_cancel(daemon, 2);
  });
  cr_assert_eq(connection.execute("SELECT 1").error().code, ErrorCode::kCancelled);
  daemon.join();
  cr_assert(connection.is_open());
}

Test(canceller, does_nothing_to_later_requests) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  connection.canceller().cancel();
  daemon.send_done(2);
  cr_assert(connection.ping().has_value());
  connection.canceller().cancel();
  connection.canceller().cancel();
  daemon.send_done(3);
  cr_assert(connection.ping().has_value());
  (void)daemon.receive();
  cr_assert(daemon.receive().root().isPing());
}

Test(canceller, waits_for_what_the_request_ends_in) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.run_beside([&] {
    (void)daemon.receive();
    connection.canceller().cancel();
    ReceivedRequest cancel = daemon.receive();
    // The statement was faster.
    daemon.send_rows(2, {.numbers = {8}, .is_first = true, .is_last = true});
    daemon.send_done(cancel.root().getId());
  });
  cr_assert(numbers_in(must(connection.execute("SELECT 8"))) == std::vector<std::int64_t>({8}));
  daemon.join();
  daemon.send_done(4);
  cr_assert(connection.ping().has_value());
}

Test(canceller, sends_one_cancel_for_many_rings) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.run_beside([&] {
    (void)daemon.receive();
    for (int i = 0; i < 3; ++i) connection.canceller().cancel();
    ReceivedRequest cancel = daemon.receive();
    for (int i = 0; i < 3; ++i) connection.canceller().cancel();
    daemon.send_done(cancel.root().getId());
    daemon.send_error(2, ErrorCode::kCancelled);
    require(daemon.receive().root().isPing(), "expected a ping");
    daemon.send_done(4);
  });
  cr_assert_eq(connection.execute("SELECT 1").error().code, ErrorCode::kCancelled);
  cr_assert(connection.ping().has_value());
  daemon.join();
}

Test(canceller, reaches_a_stream_whose_rows_are_being_used) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  cr_assert(must(stream.next()));
  connection.canceller().cancel();
  daemon.run_beside([&] {
    (void)daemon.receive();
    expect_cancel(daemon, 2);
  });
  cr_assert_eq(stream.next().error().code, ErrorCode::kCancelled);
  daemon.join();
}

Test(canceller, hits_the_request_waited_for_and_not_the_stream_beside_it) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  daemon.run_beside([&] {
    (void)daemon.receive();
    (void)daemon.receive();
    connection.canceller().cancel();
    expect_cancel(daemon, 3);
    daemon.send_rows(2, {.numbers = {2}, .is_last = true});
  });
  cr_assert_eq(connection.execute("SELECT 1").error().code, ErrorCode::kCancelled);
  cr_assert(must(stream.next()));
  cr_assert(must(stream.next()));
  cr_assert(!must(stream.next()));
  daemon.join();
}

Test(canceller, may_be_used_in_a_signal_handler_and_after_the_connection) {
  static const Canceller* in_handler = nullptr;
  FakeDaemon daemon;
  std::optional<Connection> connection = daemon.connect();
  const Canceller canceller = connection->canceller();
  in_handler = &canceller;
  struct sigaction action {};
  action.sa_handler = [](int) { in_handler->cancel(); };
  cr_assert_eq(::sigaction(SIGINT, &action, nullptr), 0);
  const pthread_t waiting = ::pthread_self();
  daemon.run_beside([&] {
    (void)daemon.receive();
    ::pthread_kill(waiting, SIGINT);
    expect_cancel(daemon, 2);
  });
  cr_assert_eq(connection->execute("SELECT 1").error().code, ErrorCode::kCancelled);
  daemon.join();
  connection.reset();
  canceller.cancel();
}
