// Starting and stopping the real daemon, and what it finds at its socket and its databases' files.
#include <criterion/criterion.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <vector>

#include "protocol/row_batch.h"
#include "tests/support/raw_session.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// Returns when the daemon has read everything that was sent in this session before.
void wait_until_read(RawSession& session) {
  const std::uint64_t id = session.next_id();
  session.send(RawSession::request(id, [](wire::Request::Builder request) { request.setPing(); }));
  const Frame frame = session.receive();
  MessageView message(frame.view());
  require(message.root<wire::Response>().getId() == id, "the ping was not answered first");
}

// The daemon says why it ends a session that has nothing under way.
void expect_goodbye(RawSession& session) {
  require(session.receive_error(0) == wire::ErrorCode::UNAVAILABLE, "another error than \"unavailable\"");
  session.expect_end();
}

}  // namespace

Test(lifecycle, sigterm_and_sigint_end_it_with_status_0) {
  for (const int signal : {SIGTERM, SIGINT}) {
    RealDaemon daemon;
    Connection connection = connect(daemon);
    cr_assert(connection.ping().has_value());
    daemon.stop(signal);
    cr_assert(!std::filesystem::exists(daemon.socket_path()), "a clean end removes the socket");
    cr_assert_eq(connection.ping().error().code, ErrorCode::kLost);
  }
}

Test(lifecycle, committed_rows_are_there_after_a_restart) {
  RealDaemon daemon;
  {
    Connection connection = connect(daemon);
    ask(connection, "CREATE TABLE t (a)");
    ask(connection, "INSERT INTO t VALUES (1), (2)");
  }
  daemon.stop();
  daemon.start();
  Connection connection = connect(daemon);
  cr_assert(ask(connection, "SELECT a FROM t") == "1 2");
}

Test(lifecycle, an_open_transaction_is_rolled_back_by_a_stop) {
  RealDaemon daemon({.config = "[limits]\ndrain_ms_max = 200\n"});
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a)");
  Transaction transaction = must(connection.begin());
  ask(transaction, "INSERT INTO t VALUES (1)");
  daemon.stop();
  daemon.start();
  Connection later = connect(daemon);
  cr_assert(ask(later, "SELECT count(*) FROM t") == "0");
}

Test(lifecycle, a_stop_lets_a_running_query_finish) {
  RealDaemon daemon;
  RawSession session(daemon.socket_path());
  session.hello();
  const std::uint64_t query = session.next_id();
  session.send(RawSession::execute_request(query, "SELECT count(*) FROM (" + numbers_up_to(2'000'000) + ")"));
  wait_until_read(session);
  daemon.process().send_signal(SIGTERM);
  daemon.notify().wait_for("STOPPING=1", daemon.process());
  const Frame frame = session.receive();
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  cr_assert_eq(response.getId(), query);
  cr_assert(response.isRows());
  const RowBatchReader batch = must(RowBatchReader::open(response.getRows().getBatch()));
  cr_assert_eq(batch.at(0, 0).integer(), 2'000'000);
  expect_goodbye(session);
  daemon.wait_for_end();
}

Test(lifecycle, a_stop_ends_what_outlasts_the_drain_limit) {
  RealDaemon daemon({.config = "[limits]\ndrain_ms_max = 200\n"});
  RawSession session(daemon.socket_path());
  session.hello();
  const std::uint64_t query = session.next_id();
  session.send(RawSession::execute_request(query, kForever));
  wait_until_read(session);
  daemon.stop();
  // A query that did not finish has no answer but an error, and the session ends.
  while (const std::optional<Frame> frame = session.try_receive()) {
    MessageView message(frame->view());
    cr_assert(message.root<wire::Response>().isError());
  }
}

Test(lifecycle, the_socket_of_a_dead_daemon_is_replaced) {
  RealDaemon daemon;
  daemon.kill();
  cr_assert(std::filesystem::exists(daemon.socket_path()));
  daemon.start();
  Connection connection = connect(daemon);
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(lifecycle, the_socket_of_a_live_daemon_is_refused) {
  RealDaemon daemon;
  const std::string message = refused_daemon(
      {"--socket", daemon.socket_path(), "--database", "other=" + (daemon.directory() / "other.db")});
  cr_assert(contains(message, daemon.socket_path()), "%s", message.c_str());
  Connection connection = connect(daemon);
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(lifecycle, a_file_that_is_no_socket_is_left_alone) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("s", "precious");
  const std::string message =
      refused_daemon({"--socket", path, "--database", "main=" + (directory / "main.db")});
  cr_assert(contains(message, path), "%s", message.c_str());
  cr_assert(read_file(path) == "precious");
}

Test(lifecycle, a_second_daemon_on_a_database_is_told_the_owners_pid) {
  RealDaemon daemon;
  const std::string message =
      refused_daemon({"--socket", daemon.directory() / "s2", "--database", "mine=" + daemon.database_path()});
  cr_assert(contains(message, std::to_string(daemon.pid())), "%s", message.c_str());
  cr_assert(contains(message, daemon.database_path()), "%s", message.c_str());
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a)");
}

Test(lifecycle, the_database_of_a_killed_daemon_is_taken_over) {
  RealDaemon daemon;
  {
    Connection connection = connect(daemon);
    ask(connection, "CREATE TABLE t (a)");
    ask(connection, "INSERT INTO t VALUES (42)");
  }
  daemon.kill();
  daemon.start();
  Connection connection = connect(daemon);
  cr_assert(ask(connection, "SELECT a FROM t") == "42");
}

Test(lifecycle, a_socket_path_at_the_limit_works_and_one_more_byte_is_refused) {
  // sun_path holds 107 bytes and a NUL: unix(7).
  const TemporaryDirectory directory;
  const std::string start = directory / "";
  const std::string longest = start + std::string(107 - start.size(), 's');
  const std::string database = "main=" + (directory / "main.db");
  {
    NotifySocket notify(directory / "n");
    Process process({program_path("skuad"), "--socket", longest, "--database", database},
                    {.environment = {{"NOTIFY_SOCKET", notify.path()}}});
    notify.wait_for("READY=1", process);
    const RawSession session(longest);
    process.send_signal(SIGTERM);
    cr_assert_eq(process.wait().exit_status, 0);
  }
  const std::string message = refused_daemon({"--socket", longest + "s", "--database", database});
  cr_assert(contains(message, "107"), "%s", message.c_str());
}

Test(lifecycle, a_client_is_told_that_a_socket_path_is_too_long) {
  const ProcessEnd outcome = run({program_path("skua"), "-s", "/tmp/" + std::string(200, 's'), "ping"});
  cr_assert_eq(outcome.exit_status, 3);
  cr_assert(contains(outcome.error, "107"), "%s", outcome.error.c_str());
}

Test(lifecycle, nothing_is_left_of_sessions_that_came_and_went) {
  RealDaemon daemon;
  must(connect(daemon).ping());
  Connection watcher = connect(daemon);
  const std::size_t descriptors = daemon.descriptor_count();
  const std::size_t threads = daemon.thread_count();
  for (int i = 0; i < 200; ++i) {
    Connection passing = connect(daemon);
    ask(passing, "SELECT 1");
  }
  // The daemon sees ends in their order, so an answer to a younger session comes after all of them.
  cr_assert(watcher.ping().has_value());
  cr_assert(connect(daemon).ping().has_value());
  cr_assert_leq(daemon.descriptor_count(), descriptors + 4);
  cr_assert_leq(daemon.thread_count(), threads + 1);
}

Test(lifecycle, it_takes_more_sessions_than_the_soft_limit_of_descriptors_allows) {
  struct rlimit before = {};
  require(::getrlimit(RLIMIT_NOFILE, &before) == 0, "getrlimit");
  // The daemon's, which inherits them; not the test's, whose descriptors are the other ends.
  const struct rlimit lowered = {64, before.rlim_max};
  require(::setrlimit(RLIMIT_NOFILE, &lowered) == 0, "setrlimit");
  RealDaemon daemon;
  require(::setrlimit(RLIMIT_NOFILE, &before) == 0, "setrlimit");
  std::vector<Connection> connections;
  for (int i = 0; i < 200; ++i) connections.push_back(connect(daemon));
  for (Connection& connection : connections) cr_assert(connection.ping().has_value());
  cr_assert_gt(daemon.descriptor_count(), 200);
}
