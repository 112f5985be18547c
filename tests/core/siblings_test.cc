// A begin with siblings: several read transactions, opened together or not at all.
#include <criterion/criterion.h>

#include <algorithm>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::Answer;
using skua::test::CoreClient;
using skua::test::CoreWorld;

using Numbers = std::vector<std::uint32_t>;

Limits few_connections(std::uint32_t connections) {
  Limits limits;
  limits.reader_connections_max = connections;
  limits.pinned_connections_max = 0;
  limits.reader_threads = 8;
  return limits;
}

std::uint64_t begin_group(CoreWorld& world, CoreClient& client, const Numbers& numbers, bool keep = true,
                          std::uint32_t deadline_ms = 0) {
  return world.send(client, [&](wire::Request::Builder request) {
    request.setTransaction(numbers.front());
    request.setDeadlineMs(deadline_ms);
    auto begin = request.initBegin();
    begin.setMode(wire::TransactionMode::READ);
    begin.setOnError(keep ? wire::TransactionErrorMode::KEEP : wire::TransactionErrorMode::ABORT);
    auto siblings = begin.initSiblings(static_cast<unsigned>(numbers.size() - 1));
    for (unsigned i = 1; i < numbers.size(); ++i) siblings.set(i - 1, numbers[i]);
  });
}

Numbers numbers_up_to(std::uint32_t last) {
  Numbers numbers;
  for (std::uint32_t number = 1; number <= last; ++number) numbers.push_back(number);
  return numbers;
}

const Answer& answer_of(const CoreClient& client, std::uint64_t id) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  return *answer;
}

void expect_success(const CoreClient& client, std::uint64_t id) {
  const Answer& answer = answer_of(client, id);
  cr_expect(!answer.error.has_value(), "%s", answer.error ? answer.error->message.c_str() : "");
}

void expect_error(const CoreClient& client, std::uint64_t id, ErrorCode code, const char* words) {
  const Answer& answer = answer_of(client, id);
  cr_assert(answer.error.has_value());
  cr_expect(answer.error->code == code, "%s: %s", std::string(to_string(answer.error->code)).c_str(),
            answer.error->message.c_str());
  cr_expect(answer.error->message.find(words) != std::string::npos, "%s", answer.error->message.c_str());
}

std::string status(CoreWorld& world) {
  loop_thread.assert_here();
  return world.dispatcher->status_line();
}

void expect_open(CoreWorld& world, int count) {
  const std::string line = status(world);
  cr_expect(line.find(std::to_string(count) + " transactions open") != std::string::npos, "%s", line.c_str());
}

}  // namespace

Test(siblings, are_begun_by_one_job_with_a_connection_each) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto begin = begin_group(world, client, {5, 6, 9});
  cr_assert_eq(world.job_count(), 1u);
  cr_expect(world.job().kind == JobKind::kBegin);
  std::vector<std::uint32_t> slots = world.job().group_slots;
  cr_assert_eq(slots.size(), 3u);
  cr_expect_eq(slots.front(), world.job().slot);
  std::sort(slots.begin(), slots.end());
  cr_expect(std::adjacent_find(slots.begin(), slots.end()) == slots.end());
  world.settle();
  expect_success(client, begin);
  expect_open(world, 3);
}

Test(siblings, are_transactions_like_any_other_once_they_are_open) {
  CoreWorld world;
  CoreClient& client = world.connect();
  begin_group(world, client, {1, 2, 3});
  const auto early = world.execute(client, "SELECT 1", 2);
  cr_assert_eq(world.job_count(), 1u, "a sibling's request waits for the begin");
  world.settle();
  expect_success(client, early);
  const auto commit = world.commit(client, 1);
  const auto rollback = world.rollback(client, 2);
  world.settle();
  expect_success(client, commit);
  expect_success(client, rollback);
  const auto last = world.execute(client, "SELECT 1", 3);
  world.settle();
  expect_success(client, last);
  expect_open(world, 1);
}

Test(siblings, of_an_ill_begin_are_refused_and_open_nothing) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.begin(client, 7, true);
  world.settle();
  expect_error(client, begin_group(world, client, {1, 2, 2}), ErrorCode::kProtocol, "transaction 2 is named twice");
  expect_error(client, begin_group(world, client, {1, 1}), ErrorCode::kProtocol, "transaction 1 is named twice");
  expect_error(client, begin_group(world, client, {1, 0}), ErrorCode::kProtocol, "other than 0");
  expect_error(client, begin_group(world, client, {1, 7}), ErrorCode::kTransactionState, "transaction 7 is in use");
  const auto write = world.send(client, [](wire::Request::Builder request) {
    request.setTransaction(1);
    request.initBegin().initSiblings(1).set(0, 2);
  });
  expect_error(client, write, ErrorCode::kProtocol, "only read transactions have siblings");
  cr_expect_eq(world.job_count(), 0u);
  expect_open(world, 1);
}

Test(siblings, count_as_transactions_of_the_session) {
  Limits limits;
  limits.transactions_per_session_max = 4;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  expect_error(client, begin_group(world, client, numbers_up_to(5)), ErrorCode::kLimit, "transactions_per_session_max");
  const auto most = begin_group(world, client, numbers_up_to(4));
  world.settle();
  expect_success(client, most);
  expect_error(client, world.begin(client, 9, true), ErrorCode::kLimit, "transactions_per_session_max");
}

Test(siblings, are_as_many_as_there_are_connections_for_everybody) {
  Limits limits;
  limits.reader_connections_max = 6;
  limits.pinned_connections_max = 2;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  expect_error(client, begin_group(world, client, numbers_up_to(5)), ErrorCode::kLimit, "reader_connections_max");
  const auto most = begin_group(world, client, numbers_up_to(4));
  world.settle();
  expect_success(client, most);
}

Test(siblings, get_all_of_their_connections_at_once) {
  CoreWorld world(few_connections(4));
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(other, 1, true);
  world.begin(other, 2, true);
  world.settle();
  const auto first = begin_group(world, client, {1, 2, 3});
  const auto second = begin_group(world, other, {3, 4, 5});
  cr_expect_eq(world.job_count(), 0u, "neither has a part of its connections");
  world.commit(other, 1);
  world.settle();
  expect_success(client, first);
  cr_expect(other.answer_to(second) == nullptr);
  for (const std::uint32_t number : {1, 2, 3}) world.commit(client, number);
  world.settle();
  expect_success(other, second);
}

Test(siblings, are_not_starved_by_a_stream_of_single_reads) {
  CoreWorld world(few_connections(4));
  CoreClient& client = world.connect();
  CoreClient& busy = world.connect();
  for (int i = 0; i < 8; ++i) world.execute(busy, "SELECT 1");
  const auto group = begin_group(world, client, {1, 2, 3});
  int finished = 0;
  while (client.answer_to(group) == nullptr) {
    cr_assert(++finished < 12, "the group waits for ever");
    world.succeed();
    world.execute(busy, "SELECT 1");
  }
  expect_success(client, group);
}

Test(siblings, that_wait_too_long_give_way) {
  Limits limits = few_connections(3);
  limits.siblings_wait_ms_max = 100;
  CoreWorld world(limits);
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(holder, 1, true);
  world.settle();
  const auto group = begin_group(world, client, {1, 2, 3});
  const auto read = world.execute(other, "SELECT 1");
  world.pass_ms(99);
  cr_expect_eq(world.job_count(), 0u, "whoever comes later waits behind the group");
  world.pass_ms(1);
  expect_error(client, group, ErrorCode::kLimit, "siblings_wait_ms_max");
  world.settle();
  expect_success(other, read);
  // Its numbers are aborted until the client says rollback.
  expect_error(client, world.execute(client, "SELECT 1", 2), ErrorCode::kTransactionAborted, "its begin did not succeed");
  for (const std::uint32_t number : {1, 2, 3}) expect_success(client, world.rollback(client, number));
  world.commit(holder, 1);
  world.settle();
  const auto again = begin_group(world, client, {1, 2, 3});
  world.settle();
  expect_success(client, again);
}

Test(siblings, that_have_their_connections_in_time_are_not_ended_by_the_wait) {
  Limits limits = few_connections(3);
  limits.siblings_wait_ms_max = 100;
  CoreWorld world(limits);
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  world.begin(holder, 1, true);
  world.settle();
  const auto group = begin_group(world, client, {1, 2, 3});
  world.pass_ms(99);
  world.commit(holder, 1);
  world.settle();
  expect_success(client, group);
  world.pass_ms(100);
  expect_open(world, 3);
}

Test(siblings, of_a_cancelled_begin_hold_nobody_back) {
  CoreWorld world(few_connections(3));
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(holder, 1, true);
  world.settle();
  const auto group = begin_group(world, client, {1, 2, 3});
  const auto read = world.execute(other, "SELECT 1");
  world.cancel(client, group);
  expect_error(client, group, ErrorCode::kCancelled, "");
  world.settle();
  expect_success(other, read);
}

Test(siblings, of_a_begin_past_its_deadline_hold_nobody_back) {
  CoreWorld world(few_connections(3));
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(holder, 1, true);
  world.settle();
  const auto group = begin_group(world, client, {1, 2, 3}, true, 50);
  const auto read = world.execute(other, "SELECT 1");
  world.pass_ms(50);
  expect_error(client, group, ErrorCode::kDeadline, "");
  world.settle();
  expect_success(other, read);
}

Test(siblings, of_a_session_that_is_gone_hold_nobody_back) {
  CoreWorld world(few_connections(3));
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.begin(holder, 1, true);
  world.settle();
  begin_group(world, client, {1, 2, 3});
  const auto read = world.execute(other, "SELECT 1");
  world.disconnect(client);
  world.settle();
  expect_success(other, read);
}

Test(siblings, whose_begin_was_stopped_before_it_had_a_thread_are_rolled_back) {
  Limits limits = few_connections(5);
  limits.reader_threads = 1;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  world.execute(client, "SELECT 1");
  const auto group = begin_group(world, client, {1, 2, 3}, true, 50);
  world.pass_ms(50);
  expect_error(client, group, ErrorCode::kDeadline, "");
  world.settle();
  expect_open(world, 0);
  for (const std::uint32_t number : {1, 2, 3}) {
    expect_error(client, world.execute(client, "SELECT 1", number), ErrorCode::kTransactionAborted, "");
    expect_success(client, world.rollback(client, number));
  }
}

Test(siblings, whose_session_is_gone_while_they_are_begun_leave_nothing) {
  CoreWorld world(few_connections(3));
  CoreClient& client = world.connect();
  begin_group(world, client, {1, 2, 3});
  world.disconnect(client);
  world.settle();
  expect_open(world, 0);
  CoreClient& other = world.connect();
  const auto again = begin_group(world, other, {1, 2, 3});
  world.settle();
  expect_success(other, again);
}

Test(siblings, are_none_if_one_cannot_be_begun) {
  CoreWorld world(few_connections(3));
  CoreClient& client = world.connect();
  const auto group = begin_group(world, client, {1, 2, 3});
  const auto early = world.execute(client, "SELECT 1", 3);
  world.fail(ErrorCode::kIo, false);
  world.settle();
  expect_error(client, group, ErrorCode::kIo, "");
  expect_error(client, early, ErrorCode::kTransactionAborted, "");
  expect_open(world, 0);
  for (const std::uint32_t number : {1, 2, 3}) expect_success(client, world.rollback(client, number));
  const auto again = begin_group(world, client, {1, 2, 3});
  world.settle();
  expect_success(client, again);
}

Test(siblings, wait_at_the_gate_like_others) {
  Limits limits = few_connections(4);
  limits.wal_bytes_max = 1'000;
  CoreWorld world(limits);
  CoreClient& holder = world.connect();
  CoreClient& client = world.connect();
  world.begin(holder, 1, true);
  world.settle();
  world.log_bytes[0] = 900;
  world.execute(holder, "DELETE FROM t");
  world.succeed();
  world.checkpoint(false);
  const auto group = begin_group(world, client, {1, 2, 3});
  cr_expect_eq(world.job_count(), 0u, "the gate is shut");
  world.commit(holder, 1);
  world.settle();
  expect_success(client, group);
}
