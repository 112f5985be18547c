// Well-formed requests at the wrong time, with wrong ids, or too many of them.
#include <criterion/criterion.h>

#include <limits>

#include "protocol/limits.h"
#include "tests/system/bad_input.h"

using namespace skua;
using namespace skua::test;

namespace {

using RequestBuilder = wire::Request::Builder;

// Sends a request with the session's next id and returns that.
template <class Fill>
std::uint64_t send(RawSession& session, Fill&& fill) {
  const std::uint64_t id = session.next_id();
  session.send(RawSession::request(id, fill));
  return id;
}

std::uint64_t send_grant(RawSession& session, std::uint64_t target, std::uint64_t bytes = 1) {
  return send(session, [&](RequestBuilder request) {
    auto grant = request.initGrant();
    grant.setRequest(target);
    grant.setBytes(bytes);
  });
}

std::uint64_t send_cancel(RawSession& session, std::uint64_t target) {
  return send(session, [&](RequestBuilder request) { request.initCancel().setRequest(target); });
}

std::uint64_t send_begin(RawSession& session, std::uint32_t transaction, wire::TransactionMode mode) {
  return send(session, [&](RequestBuilder request) {
    request.setTransaction(transaction);
    request.initBegin().setMode(mode);
  });
}

std::uint64_t send_sql(RawSession& session, std::string_view sql, std::uint32_t transaction = 0) {
  const std::uint64_t id = session.next_id();
  session.send(RawSession::execute_request(id, sql, transaction));
  return id;
}

// Starts a stream that stops for want of credit after its first batch.
std::uint64_t start_parked_stream(RawSession& session) {
  const std::uint64_t id = send(session, [](RequestBuilder request) {
    auto execute = request.initExecute();
    execute.setSql(std::string(kEndlessRows).c_str());
    execute.setWindowBytes(1);
  });
  const Frame frame = session.receive();
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  require(response.getId() == id && response.isRows() && !response.getRows().hasDone(), "no first batch");
  return id;
}

Frame hello_with_versions(std::uint16_t min, std::uint16_t max) {
  return RawSession::request(1, [&](RequestBuilder request) {
    auto hello = request.initHello();
    hello.setVersionMin(min);
    hello.setVersionMax(max);
  });
}

}  // namespace

Test(bad_input_order, nothing_comes_before_hello) {
  Scene scene;
  const Frame requests[] = {
      RawSession::execute_request(1, "SELECT 1"),
      RawSession::request(1, [](RequestBuilder request) { request.setPing(); }),
      RawSession::request(1, [](RequestBuilder request) { request.initCancel().setRequest(1); }),
      RawSession::request(1, [](RequestBuilder request) { request.setStats(); }),
  };
  for (const Frame& request : requests) {
    RawSession session(scene.socket_path());
    session.send(request);
    expect_refusal(session, 1, ErrorCode::kProtocol, "hello");
    session.expect_end();
  }
  scene.expect_all_well();
}

Test(bad_input_order, hello_is_said_once) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::uint64_t id = session.next_id();
  session.send(RawSession::hello_request(id));
  expect_refusal(session, id, ErrorCode::kProtocol, "hello");
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_order, versions_without_overlap_are_told_both_ranges) {
  Scene scene;
  const std::uint16_t beyond = kProtocolVersionMax + 1;
  for (const auto& [min, max] : {std::pair<std::uint16_t, std::uint16_t>{beyond, 900}, {0, 0}}) {
    RawSession session(scene.socket_path());
    session.send(hello_with_versions(min, max));
    const Refusal refusal = expect_refusal(session, 1, ErrorCode::kVersion, std::to_string(max));
    cr_expect(contains(refusal.message, std::to_string(kProtocolVersionMax)), "%s", refusal.message.c_str());
    session.expect_end();
  }
  RawSession session(scene.socket_path());
  session.send(hello_with_versions(0, std::numeric_limits<std::uint16_t>::max()));
  const Frame frame = session.receive();
  MessageView message(frame.view());
  cr_assert(message.root<wire::Response>().isHello());
  cr_expect_eq(message.root<wire::Response>().getHello().getVersion(), kProtocolVersionMax);
  scene.expect_all_well();
}

Test(bad_input_order, a_range_of_versions_that_ends_before_it_begins_is_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.send(hello_with_versions(std::numeric_limits<std::uint16_t>::max(), 0));
  const Refusal refusal = receive_refusal(session);
  cr_expect(refusal.code == ErrorCode::kVersion || refusal.code == ErrorCode::kProtocol);
  session.expect_end();
  scene.expect_all_well();
}

Test(bad_input_order, ids_must_increase) {
  Scene scene;
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4}, std::uint64_t{5}}) {
    RawSession session(scene.socket_path());
    session.hello();
    session.send(RawSession::request(5, [](RequestBuilder request) { request.setPing(); }));
    cr_assert(receives_done(session, 5));
    session.send(RawSession::request(id, [](RequestBuilder request) { request.setPing(); }));
    expect_broken_off(session, ErrorCode::kProtocol, "id");
  }
  scene.expect_all_well();
}

Test(bad_input_order, the_largest_id_is_an_id) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  session.send(RawSession::request(largest, [](RequestBuilder request) { request.setPing(); }));
  cr_assert(receives_done(session, largest));
  scene.expect_all_well();
}

Test(bad_input_order, hello_with_id_0_is_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.send(RawSession::hello_request(0));
  expect_broken_off(session, ErrorCode::kProtocol, "0");
  scene.expect_all_well();
}

Test(bad_input_order, a_grant_for_a_request_to_come_is_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  for (const std::uint64_t ahead : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 60}) {
    const std::uint64_t id = session.next_id();
    session.send(
        RawSession::request(id, [&](RequestBuilder request) { request.initGrant().setRequest(id + ahead); }));
    expect_refusal(session, id, ErrorCode::kProtocol);
  }
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_order, a_grant_for_what_has_ended_is_ignored) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  session.execute("SELECT 1");
  send_grant(session, 2);
  send_grant(session, 1);
  send_grant(session, 0);
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_order, a_grant_for_what_is_no_stream_is_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  // A transaction that waits for the bystander's.
  Transaction holder = must(scene.bystander().begin());
  const std::uint64_t begin = send_begin(session, 1, wire::TransactionMode::WRITE);
  const std::uint64_t grant = send_grant(session, begin);
  expect_refusal(session, grant, ErrorCode::kProtocol, "stream");
  must(holder.rollback());
  cr_assert(receives_done(session, begin));
  session.close();
  scene.expect_all_well();
}

Test(bad_input_order, endless_grants_do_not_overflow) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::uint64_t stream = start_parked_stream(session);
  for (int i = 0; i < 4; ++i) send_grant(session, stream, std::numeric_limits<std::uint64_t>::max());
  session.receive();
  session.close();
  scene.expect_all_well();
}

Test(bad_input_order, a_cancel_is_always_answered) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  cr_expect(receives_done(session, send_cancel(session, 1)));
  session.execute("SELECT 1");
  cr_expect(receives_done(session, send_cancel(session, 3)));
  const std::uint64_t id = session.next_id();
  session.send(
      RawSession::request(id, [&](RequestBuilder request) { request.initCancel().setRequest(id + 10); }));
  expect_refusal(session, id, ErrorCode::kProtocol);
  const std::uint64_t stream = start_parked_stream(session);
  const std::uint64_t cancel = send_cancel(session, stream);
  cr_expect(receives_done(session, cancel));
  expect_refusal(session, stream, ErrorCode::kCancelled);
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_order, transactions_must_be_begun_once_and_before_they_are_used) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  expect_refusal(session, send_sql(session, "SELECT 1", 9), ErrorCode::kTransactionState, "9");
  expect_refusal(session, send_begin(session, 0, wire::TransactionMode::READ), ErrorCode::kProtocol);
  cr_assert(receives_done(session, send_begin(session, 9, wire::TransactionMode::READ)));
  expect_refusal(session, send_begin(session, 9, wire::TransactionMode::READ), ErrorCode::kTransactionState);
  const auto end = [&](std::uint32_t transaction, bool commit) {
    return send(session, [&](RequestBuilder request) {
      request.setTransaction(transaction);
      if (commit) {
        request.setCommit();
      } else {
        request.setRollback();
      }
    });
  };
  expect_refusal(session, end(8, true), ErrorCode::kTransactionState);
  expect_refusal(session, end(0, true), ErrorCode::kTransactionState);
  expect_refusal(session, end(0, false), ErrorCode::kTransactionState);
  expect_refusal(session, send_sql(session, "COMMIT"), ErrorCode::kTransactionState);
  expect_refusal(session, send_sql(session, "ROLLBACK TO nothing"), ErrorCode::kTransactionState);
  // It was begun in the abort mode, the wire's default: the second begin ended it.
  expect_refusal(session, end(9, true), ErrorCode::kTransactionAborted);
  cr_assert(receives_done(session, end(9, false)));
  expect_refusal(session, end(9, true), ErrorCode::kTransactionState);
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_order, a_session_has_so_many_transactions_and_not_one_more) {
  Scene scene({.databases = {},
               .config = "[limits]\ntransactions_per_session_max = 3\n",
               .arguments = {},
               .environment = {}});
  RawSession session(scene.socket_path());
  session.hello();
  for (std::uint32_t number = 1; number <= 3; ++number) {
    cr_assert(receives_done(session, send_begin(session, number, wire::TransactionMode::READ)));
  }
  expect_refusal(session, send_begin(session, 4, wire::TransactionMode::READ), ErrorCode::kLimit,
                 "transactions_per_session_max");
  const std::uint64_t rollback = send(session, [](RequestBuilder request) {
    request.setTransaction(2);
    request.setRollback();
  });
  cr_assert(receives_done(session, rollback));
  cr_assert(receives_done(session, send_begin(session, 4, wire::TransactionMode::READ)));
  scene.expect_all_well();
}

Test(bad_input_order, a_session_has_so_many_requests_under_way_and_not_one_more) {
  Scene scene({.databases = {},
               .config = "[limits]\nrequests_per_session_max = 3\n",
               .arguments = {},
               .environment = {}});
  RawSession session(scene.socket_path());
  session.hello();
  std::uint64_t stream = 0;
  for (int i = 0; i < 3; ++i) stream = start_parked_stream(session);
  expect_refusal(session, send_sql(session, "SELECT 1"), ErrorCode::kLimit, "requests_per_session_max");
  // What takes no place is still answered: otherwise nothing could be ended.
  expect_alive(session);
  cr_assert(receives_done(session, send_cancel(session, stream)));
  expect_refusal(session, stream, ErrorCode::kCancelled);
  session.execute("SELECT 1");
  scene.expect_all_well();
}

Test(bad_input_order, there_are_so_many_sessions_and_not_one_more) {
  // The bystander has one of them, and a newcomer will have another.
  Scene scene({.config = "[limits]\nsessions_max = 3\n"});
  {
    RawSession first(scene.socket_path());
    first.hello();
    RawSession second(scene.socket_path());
    second.hello();
    RawSession third(scene.socket_path());
    expect_broken_off(third, ErrorCode::kLimit, "sessions_max");
    expect_alive(first);
    expect_alive(second);
    first.shut_down_sending();
    first.expect_end();
  }
  scene.expect_all_well();
}

Test(bad_input_order, a_session_that_does_not_say_hello_in_time_is_ended) {
  Scene scene({.config = "[limits]\nhello_ms_max = 50\n"});
  RawSession session(scene.socket_path());
  expect_broken_off(session, ErrorCode::kLimit, "hello_ms_max");
  scene.expect_all_well();
}
