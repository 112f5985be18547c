// RowStream: rows as they come, credits for them, and early ends.
#include "skua/row_stream.h"

#include <criterion/criterion.h>

#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

Test(row_stream, knows_its_columns_before_its_rows) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  cr_assert_eq(stream.columns().size(), 1);
  cr_assert(stream.columns()[0].name == "n");
  daemon.send_rows(2, {.numbers = {5}});
  daemon.send_rows(2, {.numbers = {}});
  daemon.send_rows(2, {.numbers = {6}, .is_last = true});
  cr_assert(must(stream.next()));
  cr_assert_eq(must(stream.row().get<int>("n")), 5);
  cr_assert(must(stream.next()));
  cr_assert_eq(must(stream.row().get<int>("n")), 6);
  cr_assert(!must(stream.next()));
  cr_assert(!must(stream.next()));
}

Test(row_stream, takes_a_statement_without_rows) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Summary summary;
  summary.changes = 9;
  daemon.send_done(2, summary);
  RowStream stream = must(connection.stream("DELETE FROM t"));
  cr_assert_eq(stream.columns().size(), 0);
  cr_assert(!must(stream.next()));
  cr_assert_eq(stream.summary().changes, 9);
}

Test(row_stream, gives_whole_batches) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1, 2, 3}, .is_first = true});
  daemon.send_rows(2, {.numbers = {}});
  daemon.send_rows(2, {.numbers = {4}, .is_last = true});
  Batch first;
  {
    RowStream stream = must(connection.stream("SELECT n"));
    first = must(stream.next_batch());
    cr_assert_eq(first.row_count(), 3);
    cr_assert_eq(must(stream.next_batch()).row_count(), 1);
    cr_assert_eq(must(stream.next_batch()).row_count(), 0);
  }
  // A batch outlives its stream.
  cr_assert_eq(first.at(2, 0).integer(), 3);
}

Test(row_stream, grants_what_was_taken_at_half_of_the_window) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  const std::size_t frame_bytes = rows_response(2, {.numbers = std::vector<std::int64_t>(100, 7)}).byte_count();
  daemon.send_rows(2, {.numbers = {}, .is_first = true});
  const std::size_t first_bytes = rows_response(2, {.numbers = {}, .is_first = true}).byte_count();
  RowStream stream =
      must(connection.stream("SELECT n", {}, RequestOptions().with_window_bytes(static_cast<std::uint32_t>(8 * frame_bytes))));
  (void)daemon.receive();
  std::size_t taken = first_bytes;
  std::size_t granted = 0;
  for (int i = 0; i < 20; ++i) {
    daemon.send_rows(2, {.numbers = std::vector<std::int64_t>(100, 7)});
    cr_assert_eq(must(stream.next_batch()).row_count(), 100);
    taken += frame_bytes;
    if (taken - granted < 4 * frame_bytes) continue;
    ReceivedRequest request = daemon.receive();
    cr_assert(request.root().isGrant());
    cr_assert_eq(request.root().getGrant().getRequest(), 2);
    granted += request.root().getGrant().getBytes();
    cr_assert_eq(granted, taken);
  }
  cr_assert_gt(granted, 0);
}

Test(row_stream, does_not_wait_for_more_than_the_daemon_would_give) {
  FakeDaemon daemon;
  daemon.send(response(1, [](wire::Response::Builder root) {
    auto hello = root.initHello();
    hello.setVersion(1);
    auto limits = hello.initLimits(1);
    limits[0].setName("stream_window_bytes_max");
    limits[0].setValue(100);
  }));
  Connection connection(must(Channel::open(daemon.client_end(), {})));
  daemon.send_rows(2, {.numbers = std::vector<std::int64_t>(100, 1), .is_first = true});
  RowStream stream = must(connection.stream("SELECT n", {}, RequestOptions().with_window_bytes(1'000'000)));
  (void)daemon.receive();  // hello
  (void)daemon.receive();
  cr_assert(daemon.receive().root().isGrant());
}

Test(row_stream, grants_by_the_daemons_window_when_none_was_asked_for) {
  FakeDaemon daemon;
  daemon.send_hello(100);
  Connection connection(must(Channel::open(daemon.client_end(), {})));
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  daemon.send_rows(2, {.numbers = {2}, .is_last = true});
  must(connection.execute("SELECT n"));
  (void)daemon.receive();  // hello
  cr_assert_eq(daemon.receive().root().getExecute().getWindowBytes(), 0);
  cr_assert(daemon.receive().root().isGrant());
}

Test(row_stream, cancels_when_it_goes_before_its_end) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  { const RowStream stream = must(connection.stream("SELECT n")); }
  (void)daemon.receive();
  ReceivedRequest request = daemon.receive();
  cr_assert(request.root().isCancel());
  cr_assert_eq(request.root().getId(), 3);
  cr_assert_eq(request.root().getCancel().getRequest(), 2);
  // What else comes for it is ignored.
  daemon.send_rows(2, {.numbers = {2}});
  daemon.send_done(3);
  daemon.send_error(2, ErrorCode::kCancelled);
  daemon.send_done(4);
  cr_assert(connection.ping().has_value());
}

Test(row_stream, does_not_cancel_what_has_ended) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true, .is_last = true});
  { const RowStream stream = must(connection.stream("SELECT n")); }
  daemon.send_done(3);
  cr_assert(connection.ping().has_value());
  (void)daemon.receive();
  cr_assert(daemon.receive().root().isPing());
}

Test(row_stream, ends_early_when_cancelled) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1, 2}, .is_first = true});
  RowStream stream = must(connection.stream("SELECT n"));
  cr_assert(must(stream.next()));
  stream.cancel();
  cr_assert(!must(stream.next()));
  cr_assert_eq(must(stream.next_batch()).row_count(), 0);
}

Test(row_stream, refuses_an_error_as_the_first_answer) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_error(2, ErrorCode::kSql);
  cr_assert_eq(connection.stream("SELEC").error().code, ErrorCode::kSql);
}

Test(row_stream, gives_the_rows_before_an_error) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_first = true});
  daemon.send_error(2, ErrorCode::kDeadline);
  RowStream stream = must(connection.stream("SELECT n"));
  cr_assert(must(stream.next()));
  cr_assert_eq(stream.next().error().code, ErrorCode::kDeadline);
  cr_assert_eq(stream.next().error().code, ErrorCode::kDeadline);
  daemon.send_done(3);
  cr_assert(connection.ping().has_value());
}

namespace {

// Rows of one column, whose name is left out unless given.
Frame rows_with_id(std::uint64_t request, std::uint64_t columns_id, std::optional<std::string> name, std::int64_t number) {
  return response(request, [&](wire::Response::Builder to) {
    auto rows = to.initRows();
    rows.setColumnsId(columns_id);
    if (name) rows.initColumns(1)[0].setName(*name);
    auto batch = rows.initBatch();
    batch.setRowCount(1);
    batch.initColumns(1)[0].initIntegers(1).set(0, number);
    rows.initDone();
  });
}

}  // namespace

Test(row_stream, columns_that_are_known_need_not_come_again) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send(rows_with_id(2, 77, "a", 1));
  cr_assert_eq(must(must(must(connection.execute("SELECT a FROM t")).one()).get<std::int64_t>("a")), 1);
  cr_assert_eq(daemon.receive().root().getExecute().getKnownColumns(), 0u);
  daemon.send(rows_with_id(3, 77, std::nullopt, 2));
  cr_assert_eq(must(must(must(connection.execute("SELECT a FROM t")).one()).get<std::int64_t>("a")), 2);
  cr_assert_eq(daemon.receive().root().getExecute().getKnownColumns(), 77u);
  // The table was altered: the new columns take the place of the old ones.
  daemon.send(rows_with_id(4, 78, "b", 3));
  cr_assert_eq(must(must(must(connection.execute("SELECT a FROM t")).one()).get<std::int64_t>("b")), 3);
  cr_assert_eq(daemon.receive().root().getExecute().getKnownColumns(), 77u);
  daemon.send(rows_with_id(5, 78, std::nullopt, 4));
  cr_assert_eq(must(must(must(connection.execute("SELECT a FROM t")).one()).get<std::int64_t>("b")), 4);
  cr_assert_eq(daemon.receive().root().getExecute().getKnownColumns(), 78u);
  // Another text is asked for anew.
  daemon.send(rows_with_id(6, 77, "a", 5));
  cr_assert(connection.execute("SELECT a FROM t WHERE a = 5").has_value());
  cr_assert_eq(daemon.receive().root().getExecute().getKnownColumns(), 0u);
}

Test(row_stream, columns_of_another_id_than_the_known_one_must_come) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send(rows_with_id(2, 77, "a", 1));
  cr_assert(connection.execute("SELECT a FROM t").has_value());
  daemon.send(rows_with_id(3, 78, std::nullopt, 2));
  const auto refused = connection.execute("SELECT a FROM t");
  cr_assert(!refused && refused.error().code == ErrorCode::kProtocol);
}

Test(row_stream, an_old_daemon_gives_columns_no_id) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  for (std::uint64_t id : {2u, 3u}) {
    daemon.send(rows_with_id(id, 0, "a", 1));
    cr_assert(connection.execute("SELECT a FROM t").has_value());
    cr_assert_eq(daemon.receive().root().getExecute().getKnownColumns(), 0u);
  }
}
