// Channel: which response goes to which request, and both directions at once.
#include "client/src/channel.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include <chrono>
#include <csignal>

#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

Test(channel, keeps_rows_of_a_stream_while_other_requests_run) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1, 2}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  daemon.send_rows(2, {.numbers = {3}});
  daemon.send_rows(3, {.numbers = {77}, .is_first = true, .is_last = true});
  cr_assert(numbers_in(must(connection.execute("SELECT 77"))) == std::vector<std::int64_t>({77}));
  daemon.send_rows(2, {.numbers = {4}, .is_last = true});
  for (std::int64_t n = 1; n <= 4; ++n) {
    cr_assert(must(stream.next()));
    cr_assert_eq(must(stream.row().get<std::int64_t>(0)), n);
  }
  cr_assert(!must(stream.next()));
  cr_assert_eq(stream.summary().row_count, 1'000'000);
}

Test(channel, passes_errors_on_and_stays_open) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Error error = make_error(ErrorCode::kSql, "near \"SELEC\": syntax error");
  error.sqlite_code = 1;
  error.sql_offset = 0;
  daemon.send(error_response(2, error));
  const auto result = connection.execute("SELEC 1");
  cr_assert(!result);
  cr_assert_eq(result.error().code, ErrorCode::kSql);
  cr_assert_eq(result.error().sql_offset, 0);
  cr_assert(result.error().message == error.message);
  cr_assert(connection.is_open());
  daemon.send_done(3);
  cr_assert(connection.ping().has_value());
}

Test(channel, does_not_deadlock_with_a_daemon_that_sends_while_it_sends) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {0}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  daemon.run_beside([&daemon] {
    (void)daemon.receive();  // the stream
    // More than the socket holds, before the next request is read.
    for (std::int64_t n = 1; n <= 64; ++n)
      daemon.send_rows(2, {.numbers = std::vector<std::int64_t>(8'192, n)});
    require(daemon.receive().root().isExecuteMany(), "expected rows");
    daemon.send_done(3);
  });
  ParameterRows rows(1);
  for (int i = 0; i < 64; ++i) {
    rows.append(ValueView::blob(std::string(64 * 1024, 'x')));
    rows.end_row();
  }
  must(connection.execute_many("INSERT INTO t VALUES (?)", rows));
  daemon.join();
  std::size_t count = 0;
  for (; count < 1 + 64 * 8'192; ++count) cr_assert(must(stream.next()));
}

Test(channel, ignores_a_refused_grant) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  // Half of a window of one byte is passed by anything: the first rows are granted at once, as request 3.
  RowStream stream = must(connection.stream("SELECT n", {}, RequestOptions().with_window_bytes(1)));
  daemon.send_rows(2, {.numbers = {2}, .is_last = true});
  daemon.send_error(3, ErrorCode::kProtocol, "no such stream");
  cr_assert(must(stream.next()));
  cr_assert(must(stream.next()));
  cr_assert(!must(stream.next()));
  daemon.send_done(4);
  cr_assert(connection.ping().has_value());
}

Test(channel, waits_through_signals) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  struct sigaction action {};
  action.sa_handler = [](int) {};
  cr_assert_eq(::sigaction(SIGUSR1, &action, nullptr), 0);
  const pthread_t waiting = ::pthread_self();
  daemon.run_beside([&daemon, waiting] {
    (void)daemon.receive();
    for (int i = 0; i < 20; ++i) {
      ::pthread_kill(waiting, SIGUSR1);
      std::this_thread::yield();
    }
    daemon.send_done(2);
  });
  cr_assert(connection.ping().has_value());
  daemon.join();
}

Test(channel, gives_up_when_a_deadline_is_long_past) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  const auto start = std::chrono::steady_clock::now();
  const Status status = connection.ping(RequestOptions().with_deadline_ms(1));
  const auto waited = std::chrono::steady_clock::now() - start;
  cr_assert(!status);
  cr_assert_eq(status.error().code, ErrorCode::kLost);
  cr_assert(waited >= Channel::kDeadlineGrace);
  cr_assert(!connection.is_open());
}

Test(connection, can_be_moved_while_its_streams_and_transactions_live) {
  FakeDaemon daemon;
  Connection first = daemon.connect();
  daemon.send_rows(2, {.numbers = {1, 2}, .is_first = true, .is_last = true});
  RowStream stream = must(first.stream("SELECT n"));
  Connection second = std::move(first);
  cr_assert(!first.is_open());
  RowStream moved = std::move(stream);
  cr_assert(must(moved.next()));
  const Row row = moved.row();
  cr_assert_eq(must(row.get<std::int64_t>("N")), 1);
  daemon.send_done(3);
  cr_assert(second.ping().has_value());
}
