#include <criterion/criterion.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::Answer;
using skua::test::CoreClient;
using skua::test::CoreWorld;

void expect_error(const CoreClient& client, std::uint64_t id, ErrorCode code) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  cr_assert(answer->error.has_value());
  cr_expect(answer->error->code == code, "%s: %s", std::string(to_string(answer->error->code)).c_str(),
            answer->error->message.c_str());
}

void expect_success(const CoreClient& client, std::uint64_t id) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  cr_expect(not answer->error.has_value(), "%s", answer->error ? answer->error->message.c_str() : "");
}

}  // namespace

Test(dispatcher, hello_must_come_first) {
  CoreWorld world;
  CoreClient& client = world.connect_silently();
  const auto id = world.execute(client, "SELECT 1");
  expect_error(client, id, ErrorCode::kProtocol);
  cr_expect(client.closed);
}

Test(dispatcher, a_session_without_hello_is_closed_in_time) {
  CoreWorld world;
  CoreClient& client = world.connect_silently();
  world.pass_ms(Limits{}.hello_ms_max - 1);
  cr_expect(not client.closed);
  world.pass_ms(2);
  cr_expect(client.closed);
}

Test(dispatcher, versions_must_overlap) {
  struct Range {
    std::uint16_t low;
    std::uint16_t high;
    bool fits;
  };
  for (const Range& range : {Range{1, 9, true}, {2, 9, false}, {0, 0, false}}) {
    CoreWorld world;
    CoreClient& client = world.connect_silently();
    const auto id = world.send(client, [&](wire::Request::Builder request) {
      request.initHello().setVersionMin(range.low);
      request.getHello().setVersionMax(range.high);
    });
    if (range.fits) {
      expect_success(client, id);
    } else {
      expect_error(client, id, ErrorCode::kVersion);
    }
    cr_expect(client.closed == not range.fits);
  }
}

Test(dispatcher, request_ids_must_increase) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.send(client, [&](wire::Request::Builder request) { request.setPing(); });
  world.send(client, [&](wire::Request::Builder request) {
    request.setId(1);
    request.setPing();
  });
  expect_error(client, 0, ErrorCode::kProtocol);
  cr_expect(client.closed);
}

Test(dispatcher, reads_and_writes_go_to_their_lanes) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "SELECT 1");
  cr_expect(world.job().slot != kWriterSlot);
  world.succeed();
  world.execute(client, "INSERT INTO t VALUES (1)");
  cr_expect(world.job().slot == kWriterSlot);
  world.succeed();
}

Test(dispatcher, a_read_that_turns_out_to_write_goes_on_to_the_writer_and_is_answered_once) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = world.execute(client, "SELECT 1");
  world.refuse_as_write();
  cr_expect(world.job().slot == kWriterSlot);
  cr_expect(client.answer_to(id) == nullptr);
  world.succeed();
  cr_expect(client.terminal_answers_to(id) == 1);
}

Test(dispatcher, databases_are_found_by_name) {
  CoreWorld world({}, {"a", "b"});
  CoreClient& client = world.connect();
  expect_error(client, world.execute(client, "SELECT 1"), ErrorCode::kNotFound);
  const auto id = world.send(client, [](wire::Request::Builder request) {
    request.setDatabase("b");
    request.initExecute().setSql("SELECT 1");
  });
  cr_expect(world.job().database == 1);
  world.succeed();
  expect_success(client, id);
  const auto unknown = world.send(client, [](wire::Request::Builder request) {
    request.setDatabase("c");
    request.initExecute().setSql("SELECT 1");
  });
  expect_error(client, unknown, ErrorCode::kNotFound);
}

Test(dispatcher, sessions_at_their_limit) {
  Limits limits;
  limits.sessions_max = 2;
  CoreWorld world(limits);
  world.connect();
  CoreClient& second = world.connect();
  cr_expect(second.state != nullptr);
  cr_expect(world.connect().state == nullptr);
  world.disconnect(second);
  cr_expect(world.connect().state != nullptr);
}

Test(dispatcher, requests_of_a_session_at_their_limit) {
  Limits limits;
  limits.requests_per_session_max = 2;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  world.execute(client, "SELECT 1");
  world.execute(client, "SELECT 2");
  const auto third = world.execute(client, "SELECT 3");
  expect_error(client, third, ErrorCode::kLimit);
  cr_expect(client.answer_to(third)->error->message.find("requests_per_session_max") != std::string::npos);
  world.succeed();
  const auto fourth = world.execute(client, "SELECT 4");
  world.settle();
  expect_success(client, fourth);
}

Test(dispatcher, a_full_write_queue_refuses_and_names_its_key) {
  Limits limits;
  limits.write_queue_max = 1;
  limits.group_requests_max = 1;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  world.execute(client, "DELETE FROM t");  // runs
  world.execute(client, "DELETE FROM t");  // is in the lane
  world.execute(client, "DELETE FROM t");  // waits
  const auto refused = world.execute(client, "DELETE FROM t");
  expect_error(client, refused, ErrorCode::kLimit);
  cr_expect(client.answer_to(refused)->error->message.find("write_queue_max") != std::string::npos);
}

Test(dispatcher, writes_that_ended_while_they_waited_take_no_place_in_the_queue) {
  Limits limits;
  limits.write_queue_max = 2;
  CoreWorld world(limits);
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  world.begin(holder, 1);
  world.succeed();
  for (int i = 0; i < 1000; ++i) {
    const auto ended = world.execute(client, "DELETE FROM t", 0, 10);
    world.pass_ms(11);
    expect_error(client, ended, ErrorCode::kDeadline);
  }
  const auto first = world.execute(client, "DELETE FROM t");
  const auto second = world.execute(client, "DELETE FROM t");
  expect_error(client, world.execute(client, "DELETE FROM t"), ErrorCode::kLimit);
  world.commit(holder, 1);
  world.settle();
  expect_success(client, first);
  expect_success(client, second);
}

Test(dispatcher, the_lane_gets_two_groups_of_writes_at_most) {
  Limits limits;
  limits.group_requests_max = 3;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  for (int i = 0; i < 10; ++i) world.execute(client, "DELETE FROM t");
  cr_expect_eq(world.job_count(), 6u);
  world.succeed();
  cr_expect_eq(world.job_count(), 6u);
  for (const auto& job : world.executor.jobs) cr_expect(job->may_join_group);
}

Test(dispatcher, the_lane_gets_two_groups_of_bytes_at_most) {
  Limits limits;
  limits.group_bytes_max = 50'000;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  const std::string sql = "DELETE FROM t /*" + std::string(40'000, ' ') + "*/";
  for (int i = 0; i < 10; ++i) world.execute(client, sql);
  cr_expect_eq(world.job_count(), 3u, "the one that crosses the limit is the last");
}

Test(dispatcher, what_cannot_share_a_transaction_is_not_offered_to) {
  CoreWorld world;
  CoreClient& client = world.connect();
  for (const char* sql : {"VACUUM", "CREATE TABLE u(a)", "PRAGMA optimize", "ANALYZE"}) {
    world.execute(client, sql);
    cr_expect(not world.job().may_join_group, "%s", sql);
    world.succeed();
  }
  for (const char* sql : {"INSERT INTO t VALUES (1)", "WITH a AS (SELECT 1) DELETE FROM t", "REPLACE INTO t VALUES (1)"}) {
    world.execute(client, sql);
    cr_expect(world.job().may_join_group, "%s", sql);
    world.succeed();
  }
}

Test(dispatcher, a_transaction_gets_the_lane_after_the_writes_before_it_and_has_it_alone) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.execute(client, "DELETE FROM t");
  const auto begin = world.begin(other, 1);
  const auto later = world.execute(client, "DELETE FROM t");
  cr_assert_eq(world.job_count(), 1u);
  world.succeed();
  cr_assert_eq(world.job_count(), 1u);
  cr_expect(world.job().kind == JobKind::kBegin);
  world.succeed();
  expect_success(other, begin);
  cr_expect_eq(world.job_count(), 0u);
  world.commit(other, 1);
  world.succeed();
  world.succeed();
  expect_success(client, later);
}

Test(dispatcher, a_write_that_waits_too_long_is_refused_and_the_limit_named) {
  CoreWorld world;
  CoreClient& holder = world.connect();
  CoreClient& other = world.connect();
  world.begin(holder, 1);
  world.succeed();
  const auto write = world.execute(other, "DELETE FROM t");
  const auto begin = world.begin(other, 7);
  const auto inside = world.execute(other, "DELETE FROM t", 7);
  for (int i = 0; i < 61; ++i) {
    world.pass_ms(1000);
    world.execute(holder, "SELECT 1", 1);
    world.succeed();
  }
  expect_error(other, write, ErrorCode::kLimit);
  cr_expect(other.answer_to(write)->error->message.find("write_wait_ms_max") != std::string::npos);
  expect_error(other, begin, ErrorCode::kLimit);
  expect_error(other, inside, ErrorCode::kTransactionAborted);
  expect_success(other, world.rollback(other, 7));
  expect_success(holder, [&] {
    const auto id = world.commit(holder, 1);
    world.succeed();
    return id;
  }());
}

Test(dispatcher, writers_take_turns_between_sessions) {
  Limits limits;
  limits.group_requests_max = 1;
  CoreWorld world(limits);
  CoreClient& busy = world.connect();
  CoreClient& other = world.connect();
  for (int i = 0; i < 100; ++i) world.execute(busy, "DELETE FROM t");
  const auto id = world.execute(other, "DELETE FROM t");
  world.succeed();  // the two in the lane
  world.succeed();
  world.succeed();  // one more of the busy session, at most
  world.succeed();
  expect_success(other, id);
}

Test(dispatcher, a_queued_request_is_cancelled_at_once_and_never_runs) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "DELETE FROM t");
  const auto queued = world.execute(client, "DELETE FROM t");
  expect_success(client, world.cancel(client, queued));
  expect_error(client, queued, ErrorCode::kCancelled);
  world.succeed();
  cr_expect(world.job_count() == 0);
}

Test(dispatcher, a_running_request_is_told_and_a_late_cancel_is_a_no_op) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = world.execute(client, "SELECT 1");
  world.cancel(client, id);
  cr_expect(world.job().request->token.reason() == CancelReason::kClient);
  cr_expect(client.answer_to(id) == nullptr);
  world.succeed();
  expect_success(client, id);
  expect_success(client, world.cancel(client, id));
  cr_expect(client.terminal_answers_to(id) == 1);
}

Test(dispatcher, a_cancel_or_grant_of_the_future_is_an_error) {
  CoreWorld world;
  CoreClient& client = world.connect();
  expect_error(client, world.cancel(client, 999), ErrorCode::kProtocol);
  expect_error(client, world.grant(client, 999, 1), ErrorCode::kProtocol);
}

Test(dispatcher, a_grant_has_no_answer_unless_it_is_for_no_stream) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = world.execute(client, "SELECT 1");
  cr_expect(client.answer_to(world.grant(client, id, 10)) == nullptr);
  world.succeed();
  cr_expect(client.answer_to(world.grant(client, id, 10)) == nullptr, "it ended while the grant was on its way");
  world.begin(client, 1);
  expect_error(client, world.grant(client, client.last_id, 10), ErrorCode::kProtocol);
}

Test(dispatcher, a_deadline_ends_what_waits_and_stops_what_runs) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto running = world.execute(client, "DELETE FROM t", 0, 50);
  const auto queued = world.execute(client, "DELETE FROM t", 0, 50);
  world.pass_ms(51);
  expect_error(client, queued, ErrorCode::kDeadline);
  cr_expect(client.answer_to(running) == nullptr);
  cr_expect(world.job().request->token.reason() == CancelReason::kDeadline);
}

Test(dispatcher, what_is_stopped_while_it_runs_does_not_wait_for_credit_with_its_last_rows) {
  for (const bool by_deadline : {false, true}) {
    CoreWorld world;
    CoreClient& client = world.connect();
    const std::uint32_t deadline_ms = by_deadline ? 10 : 0;
    const auto read = world.execute(client, "SELECT * FROM big", 0, deadline_ms, 1);
    const auto write = world.execute(client, "INSERT INTO t VALUES (1) RETURNING a", 0, deadline_ms, 1);
    if (by_deadline) {
      world.pass_ms(11);
    } else {
      world.cancel(client, read);
      world.cancel(client, write);
    }
    cr_expect(client.answer_to(read) == nullptr && client.answer_to(write) == nullptr);
    world.succeed_with_rows(5'000);
    world.succeed_with_rows(5'000);
    expect_error(client, read, by_deadline ? ErrorCode::kDeadline : ErrorCode::kCancelled);
    expect_success(client, write);
    cr_expect(world.job_count() == 0);
  }
}

Test(dispatcher, a_session_cannot_have_all_reader_threads) {
  Limits limits;
  limits.reader_threads = 8;
  CoreWorld world(limits);
  CoreClient& greedy = world.connect();
  for (int i = 0; i < 64; ++i) world.execute(greedy, "SELECT count(*) FROM big");
  cr_expect(world.job_count() == 4, "half of them");
  CoreClient& other = world.connect();
  const auto read = world.execute(other, "SELECT count(*) FROM small");
  cr_assert(world.job_count() == 5);
  world.succeed(4);
  expect_success(other, read);
  cr_expect(world.job_count() == 4, "the free ones are not for the greedy");
}

Test(dispatcher, a_session_whose_reads_take_long_has_fewer_turns) {
  Limits limits;
  limits.reader_threads = 1;
  CoreWorld world(limits);
  CoreClient& slow = world.connect();
  CoreClient& quick = world.connect();
  for (int i = 0; i < 5; ++i) world.execute(slow, "SELECT count(*) FROM big");
  std::vector<std::uint64_t> reads;
  for (int i = 0; i < 20; ++i) reads.push_back(world.execute(quick, "SELECT count(*) FROM small"));
  world.job().lane_us = 5'000;
  world.succeed();
  for (const std::uint64_t read : reads) {
    cr_assert(world.job().request->session_id == quick.state->id);
    world.job().lane_us = 50;
    world.succeed();
    expect_success(quick, read);
  }
}

Test(dispatcher, a_session_whose_writes_take_long_does_not_fill_the_lane_before_others) {
  CoreWorld world;
  CoreClient& slow = world.connect();
  CoreClient& quick = world.connect();
  // What is expected of a write at the most doubles with each.
  for (int i = 0; i < 5; ++i) {
    world.execute(slow, "DELETE FROM big");
    world.job().lane_us = 15'000;
    world.succeed();
  }
  for (int i = 0; i < 30; ++i) world.execute(slow, "DELETE FROM big");
  cr_assert(world.job_count() == 1, "as much as lasts for a part of a slice is with the lane: %zu", world.job_count());
  const auto write = world.execute(quick, "DELETE FROM small");
  cr_assert(world.job_count() == 2, "what others have there counts for them");
  world.job().lane_us = 15'000;
  world.succeed();
  world.succeed();
  expect_success(quick, write);
}

Test(dispatcher, a_stream_stops_at_its_credit_and_keeps_its_connection_but_no_thread) {
  Limits limits;
  limits.reader_threads = 1;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  const auto id = world.execute(client, "SELECT * FROM big", 0, 0, 10'000);
  world.stream(8'000);
  cr_assert(world.job_count() == 1, "there is credit for more");
  world.stream(8'000);
  cr_expect(world.job_count() == 0, "the credit is overdrawn");
  world.execute(client, "SELECT 1");
  cr_expect(world.job_count() == 1, "the parked stream does not hold the only thread");
  world.succeed();
  world.grant(client, id, 100'000);
  cr_assert(world.job_count() == 1);
  cr_expect(world.job().kind == JobKind::kContinue);
  world.succeed();
  expect_success(client, id);
}

Test(dispatcher, a_stream_that_gets_no_credit_is_ended_and_its_cursor_closed) {
  Limits limits;
  limits.stream_lease_ms_max = 0;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  const auto id = world.execute(client, "SELECT * FROM big", 0, 0, 1);
  world.stream(5'000);
  world.pass_ms(Limits{}.stream_idle_ms_max + 1);
  expect_error(client, id, ErrorCode::kLimit);
  cr_assert(world.job_count() == 1);
  cr_expect(world.job().kind == JobKind::kClose);
}

Test(dispatcher, a_client_that_does_not_read_gets_no_more_batches) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "SELECT * FROM big", 0, 0, 60 * kMiB);
  client.unsent = 5 * kMiB;
  world.stream(8'000);
  cr_expect(world.job_count() == 0);
  client.unsent = 0;
  loop_thread.assert_here();
  world.dispatcher->on_session_writable(*client.state, world.now_us);
  cr_expect(world.job_count() == 1);
}

Test(dispatcher, a_dead_session_leaves_no_cursor_behind) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "SELECT * FROM big", 0, 0, 1);
  world.stream(5'000);                     // parked
  world.execute(client, "SELECT * FROM big");  // running
  world.disconnect(client);
  cr_expect(world.job_count() == 2);
  cr_expect(world.job().request->token.reason() == CancelReason::kSessionGone);
  world.stream(5'000);
  for (const auto& job : world.executor.jobs) cr_expect(job->kind == JobKind::kClose);
  world.settle();
}

Test(dispatcher, a_temp_object_gives_its_session_a_connection_of_its_own) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "CREATE TEMP TABLE scratch(a)");
  cr_assert(world.job().pinned);
  const std::uint32_t slot = world.job().slot;
  cr_expect(slot != kWriterSlot);
  world.succeed();
  const auto insert = world.execute(client, "INSERT INTO scratch VALUES (1)");
  cr_expect(world.job().pinned && world.job().slot == slot);
  world.succeed();
  expect_success(client, insert);
  const auto real = world.execute(client, "INSERT INTO t VALUES (1)");
  world.refuse_as_write();
  cr_expect(world.job().slot == kWriterSlot && !world.job().pinned);
  world.succeed();
  expect_success(client, real);
  CoreClient& other = world.connect();
  world.execute(other, "SELECT 1");
  cr_expect(world.job().slot != slot && !world.job().pinned);
  world.succeed();
  world.disconnect(client);
  cr_assert(world.job_count() == 1);
  cr_expect(world.job().kind == JobKind::kDiscard && world.job().slot == slot);
  world.succeed();
}

Test(dispatcher, a_cancelled_first_temp_object_leaves_the_way_free_for_the_next) {
  Limits limits;
  limits.reader_connections_max = 2;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.execute(other, "SELECT 1");
  world.execute(other, "SELECT 2");
  const auto first = world.execute(client, "CREATE TEMP TABLE a(x)");
  const auto second = world.execute(client, "SELECT * FROM a");
  world.cancel(client, first);
  expect_error(client, first, ErrorCode::kCancelled);
  world.succeed();
  world.settle();
  expect_success(client, second);
}

Test(dispatcher, pinned_connections_at_their_limit) {
  Limits limits;
  limits.pinned_connections_max = 1;
  CoreWorld world(limits);
  CoreClient& first = world.connect();
  CoreClient& second = world.connect();
  world.execute(first, "CREATE TEMP TABLE a(x)");
  world.settle();
  const auto refused = world.execute(second, "CREATE TEMP TABLE a(x)");
  expect_error(second, refused, ErrorCode::kLimit);
  cr_expect(second.answer_to(refused)->error->message.find("pinned_connections_max") != std::string::npos);
  world.disconnect(first);
  world.settle();
  const auto again = world.execute(second, "CREATE TEMP TABLE a(x)");
  world.settle();
  expect_success(second, again);
}

Test(dispatcher, draining_refuses_new_work_and_closes_idle_sessions) {
  CoreWorld world;
  CoreClient& idle = world.connect();
  CoreClient& busy = world.connect();
  const auto id = world.execute(busy, "SELECT 1");
  loop_thread.assert_here();
  world.dispatcher->start_drain(world.now_us);
  cr_expect(idle.closed);
  cr_expect(not busy.closed);
  const auto late = world.execute(busy, "SELECT 2");
  expect_error(busy, late, ErrorCode::kUnavailable);
  world.succeed();
  expect_success(busy, id);
  cr_expect(busy.closed);
}

Test(dispatcher, a_session_is_lonely_some_time_after_the_last_request_of_another) {
  CoreWorld world;
  CoreClient& first = world.connect();
  CoreClient& second = world.connect();
  loop_thread.assert_here();
  const auto is_lonely = [&world] {
    loop_thread.assert_here();
    world.dispatcher->on_turn_end(world.now_us);
    return world.executor.was_lonely;
  };
  world.execute(first, "INSERT INTO t VALUES (1)");
  cr_expect_not(is_lonely(), "the second has just said hello");
  world.pass_ms(19);
  world.execute(first, "INSERT INTO t VALUES (1)");
  cr_expect_not(is_lonely());
  world.pass_ms(1);
  world.execute(first, "INSERT INTO t VALUES (1)");
  cr_expect(is_lonely());
  world.execute(second, "SELECT 1");
  cr_expect_not(is_lonely());
  world.execute(first, "INSERT INTO t VALUES (1)");
  world.pass_ms(19);
  cr_expect_not(is_lonely());
  world.pass_ms(1);
  cr_expect(is_lonely());
  world.settle();
}
