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

namespace {

// A channel in the hands of a test that does what a loop would.
struct Driven : Channel::Driver {
  void on_unsent() override {}
  void on_lost() override {}

  explicit Driven(FakeDaemon& fake) : daemon(fake) {
    channel = must(Channel::open_driven(daemon.client_end(), ConnectOptions(), *this));
    daemon.send_hello();
    channel->send_queued();
    cr_assert(daemon.receive().root().isHello());
    cr_assert(channel->receive_when_readable() && channel->is_greeted());
    must(channel->finish_hello());
  }
  // How many of the requests that arrive for so many pings ask for rings; `answer` is told of those.
  template <class Answer>
  int ping(int times, Answer answer) {
    int asked = 0;
    for (int i = 0; i < times; ++i) {
      const std::uint64_t id = must(channel->start(must(ping_request(channel->head(RequestOptions())))));
      channel->send_queued();
      while (true) {
        ReceivedRequest request = daemon.receive();
        if (!request.root().isRings()) break;
        ++asked;
        answer(request.root().getId());
      }
      daemon.send_done(id);
      cr_assert(channel->receive_when_readable() && channel->is_ready(id));
      must(channel->take(id));
    }
    return asked;
  }

  FakeDaemon& daemon;
  std::shared_ptr<Channel> channel;
};

}  // namespace

Test(channel, asks_no_daemon_for_rings_that_has_no_bells) {
  FakeDaemon daemon;
  daemon.features = kFeatureSiblings | kFeatureRings;
  cr_assert_eq(Driven(daemon).ping(300, [](std::uint64_t) {}), 0);
}

Test(channel, goes_on_without_rings_where_they_are_refused) {
  for (const ErrorCode code : {ErrorCode::kLimit, ErrorCode::kUnavailable, ErrorCode::kSql}) {
    FakeDaemon daemon;
    Driven driven(daemon);
    const int asked = driven.ping(300, [&](std::uint64_t id) { daemon.send_error(id, code); });
    cr_assert_eq(asked, code == ErrorCode::kUnavailable ? 300 / 64 : 1, "%d times", asked);
    cr_assert(!driven.channel->ring_is_read());
  }
}

Test(channel, goes_on_without_rings_whose_memory_does_not_come) {
  FakeDaemon daemon;
  Driven driven(daemon);
  cr_assert_eq(driven.ping(300, [&](std::uint64_t id) { daemon.send_done(id); }), 1);
}

Test(channel, gives_up_a_daemon_that_answers_rings_with_rows) {
  FakeDaemon daemon;
  Driven driven(daemon);
  for (int i = 0; i < 64; ++i) must(driven.channel->start(must(ping_request(driven.channel->head(RequestOptions())))));
  driven.channel->send_queued();
  while (true) {
    ReceivedRequest request = daemon.receive();
    if (!request.root().isRings()) continue;
    daemon.send_rows(request.root().getId(), {.numbers = {1}, .is_first = true, .is_last = true});
    break;
  }
  cr_assert(driven.channel->receive_when_readable());
  cr_assert(!driven.channel->is_open());
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
