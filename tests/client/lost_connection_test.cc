// A connection that ends: what each request under way says of it.
#include <criterion/criterion.h>

#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

using Call = std::function<Error(Connection&, Transaction&)>;

template <class R>
Error error_of(R&& result) {
  if (result) throw Failure("a call succeeded on a lost connection");
  return result.error();
}

// A call in an open transaction, or beside it.
struct Case {
  const char* name;
  Call call;
  ErrorCode expected;  // when the request was sent
};

ParameterRows one_row() {
  ParameterRows rows(1);
  rows.append(ValueView::integer(1));
  rows.end_row();
  return rows;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"ping", [](auto& c, auto&) { return error_of(c.ping()); }, ErrorCode::kLost},
      {"describe", [](auto& c, auto&) { return error_of(c.describe("SELECT 1")); }, ErrorCode::kLost},
      {"stats", [](auto& c, auto&) { return error_of(c.stats()); }, ErrorCode::kLost},
      {"locks", [](auto& c, auto&) { return error_of(c.locks()); }, ErrorCode::kLost},
      {"begin", [](auto& c, auto&) { return error_of(c.begin()); }, ErrorCode::kLost},
      {"execute", [](auto& c, auto&) { return error_of(c.execute("INSERT")); }, ErrorCode::kInDoubt},
      {"stream", [](auto& c, auto&) { return error_of(c.stream("WITH")); }, ErrorCode::kInDoubt},
      {"WITH and SELECT", [](auto& c, auto&) { return error_of(c.stream("WITH a AS (VALUES (1)), b(x) AS (SELECT 2) SELECT * FROM a")); },
       ErrorCode::kLost},
      {"WITH and DELETE", [](auto& c, auto&) { return error_of(c.execute("WITH a AS (SELECT 1) DELETE FROM t WHERE x IN (SELECT * FROM a)")); },
       ErrorCode::kInDoubt},
      {"SELECT", [](auto& c, auto&) { return error_of(c.execute("SELECT 1")); }, ErrorCode::kLost},
      {"VALUES", [](auto& c, auto&) { return error_of(c.stream("; VALUES (1)")); }, ErrorCode::kLost},
      {"EXPLAIN", [](auto& c, auto&) { return error_of(c.execute("explain DELETE")); }, ErrorCode::kLost},
      {"execute_many", [](auto& c, auto&) { return error_of(c.execute_many("INSERT", one_row())); },
       ErrorCode::kInDoubt},
      {"run", [](auto& c, auto&) { return error_of(c.run({})); }, ErrorCode::kInDoubt},
      {"execute inside", [](auto&, auto& t) { return error_of(t.execute("INSERT")); }, ErrorCode::kLost},
      {"stream inside", [](auto&, auto& t) { return error_of(t.stream("SELECT 1")); }, ErrorCode::kLost},
      {"execute_many inside", [](auto&, auto& t) { return error_of(t.execute_many("INSERT", one_row())); },
       ErrorCode::kLost},
      {"COMMIT as text", [](auto&, auto& t) { return error_of(t.execute(" /* now */ commit")); },
       ErrorCode::kInDoubt},
      {"END as text", [](auto&, auto& t) { return error_of(t.execute("END TRANSACTION")); },
       ErrorCode::kInDoubt},
      {"RELEASE as text", [](auto&, auto& t) { return error_of(t.execute("RELEASE s")); }, ErrorCode::kInDoubt},
      {"savepoint", [](auto&, auto& t) { return error_of(t.savepoint("s")); }, ErrorCode::kLost},
      {"rollback", [](auto&, auto& t) { return error_of(t.rollback()); }, ErrorCode::kLost},
      {"commit", [](auto&, auto& t) { return error_of(t.commit()); }, ErrorCode::kInDoubt},
  };
  return all;
}

void check(const Case& each, const std::function<void(FakeDaemon&)>& lose, ErrorCode expected) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  Transaction transaction = must(connection.begin());
  lose(daemon);
  const Error error = each.call(connection, transaction);
  cr_assert(error.code == expected, "%s: %s", each.name, std::string(to_string(error.code)).c_str());
  cr_assert(error.ends_transaction(), "%s", each.name);
  cr_assert(!connection.is_open());
  cr_assert_eq(connection.ping().error().code, ErrorCode::kLost);
  cr_assert_eq(transaction.execute("SELECT 1").error().code, ErrorCode::kLost);
}

}  // namespace

Test(lost_connection, tells_what_may_have_been_committed) {
  for (const Case& each : cases()) {
    check(
        each, [](FakeDaemon& daemon) { daemon.stop_sending(); }, each.expected);
  }
}

Test(lost_connection, is_no_doubt_when_nothing_was_sent) {
  for (const Case& each : cases()) {
    check(
        each, [](FakeDaemon& daemon) { daemon.hang_up(); }, ErrorCode::kLost);
  }
}

Test(lost_connection, repeats_what_the_daemon_said_before_it_closed) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_error(0, ErrorCode::kUnavailable, "the daemon is shutting down");
  daemon.hang_up();
  const Status status = connection.ping();
  cr_assert_eq(status.error().code, ErrorCode::kLost);
  cr_assert(status.error().message.find("the daemon is shutting down") != std::string::npos);
}

Test(lost_connection, gives_the_answers_that_came_before) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  daemon.send_rows(2, {.numbers = {2}});
  daemon.stop_sending();
  cr_assert(must(stream.next()));
  cr_assert(must(stream.next()));
  const auto more = stream.next();
  cr_assert(!more);
  cr_assert_eq(more.error().code, ErrorCode::kLost);
  // And says so again.
  cr_assert_eq(stream.next().error().code, ErrorCode::kLost);
}

Test(lost_connection, does_not_hang_destructors) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  Transaction transaction = must(connection.begin());
  daemon.send_rows(3, {.numbers = {1}, .is_first = true});
  RowStream stream = must(transaction.stream("SELECT n"));
  daemon.hang_up();
  cr_assert(!connection.ping());
}

Test(lost_connection, in_the_middle_of_a_frame) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  const Frame frame = done_response(2, {});
  daemon.send(frame.bytes().substr(0, frame.byte_count() - 8));
  daemon.stop_sending();
  cr_assert_eq(connection.ping().error().code, ErrorCode::kLost);
}

Test(lost_connection, of_a_request_too_large_to_be_sent_at_once) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.run_beside([&daemon] {
    // Reads a part of the request, by way of the next one, and hangs up.
    (void)daemon.receive();
    daemon.hang_up();
  });
  cr_assert(!connection.ping());
  const auto result =
      connection.execute("INSERT INTO t VALUES (?)", Parameters::of(std::string(8'000'000, 'x')));
  cr_assert_eq(result.error().code, ErrorCode::kLost);
  daemon.join();
}
