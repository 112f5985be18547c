// Backups: whose turn the writer's lane is while a database is copied, and what is left when a backup ends early.
#include <criterion/criterion.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::CoreClient;
using skua::test::CoreWorld;

// Five times what a slice took.
constexpr std::uint64_t kRestMs = 5 * CoreWorld::kSliceUs / 1000;

std::uint64_t backup(CoreWorld& world, CoreClient& client) {
  return world.send(client, [](wire::Request::Builder request) { request.setBackup(); });
}

void expect_success(const CoreClient& client, std::uint64_t id) {
  cr_assert(client.answer_to(id) != nullptr);
  cr_expect(not client.answer_to(id)->error.has_value());
}

void expect_error(const CoreClient& client, std::uint64_t id, ErrorCode code) {
  cr_assert(client.answer_to(id) != nullptr);
  cr_assert(client.answer_to(id)->error.has_value());
  cr_expect(client.answer_to(id)->error->code == code, "%s", client.answer_to(id)->error->message.c_str());
}

bool is_of_kind(const Job& job, JobKind kind) { return job.kind == kind; }

}  // namespace

Test(backups, copy_slice_after_slice_and_then_send_the_pieces) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = backup(world, client);
  for (int i = 0; i < 3; ++i) world.copy_slice(false);
  world.copy_slice(true);
  cr_assert(is_of_kind(world.job(), JobKind::kBackupRead));
  world.stream(100'000);
  cr_assert(is_of_kind(world.job(), JobKind::kBackupRead));
  world.succeed();
  expect_success(client, id);
  cr_expect(world.job_count() == 0);
}

Test(backups, writes_have_the_lane_between_two_slices) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& writer = world.connect();
  const auto id = backup(world, client);
  world.execute(writer, "DELETE FROM t");
  world.copy_slice(false);
  cr_expect(world.job_count() == 1 && is_of_kind(world.job(), JobKind::kRequest));
  world.succeed();
  world.execute(writer, "DELETE FROM t");
  world.succeed();
  cr_expect(world.job_count() == 0, "the lane rests from the backup");
  world.pass_ms(kRestMs);
  cr_expect(world.job_count() == 1 && is_of_kind(world.job(), JobKind::kBackupCopy));
  world.settle();
  expect_success(client, id);
}

Test(backups, wait_for_a_transaction_and_are_not_starved_by_the_next) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& first = world.connect();
  CoreClient& second = world.connect();
  world.begin(first, 1);
  world.succeed();
  const auto id = backup(world, client);
  const auto next = world.begin(second, 1);
  cr_expect(world.job_count() == 0);
  world.commit(first, 1);
  world.succeed();
  cr_assert(world.job_count() == 2);
  cr_expect(is_of_kind(*world.executor.jobs[0], JobKind::kBackupCopy));
  cr_expect(is_of_kind(*world.executor.jobs[1], JobKind::kBegin));
  world.copy_slice(false);
  world.succeed();
  expect_success(second, next);
  world.pass_ms(kRestMs);
  cr_expect(world.job_count() == 0, "never inside of a transaction");
  world.commit(second, 1);
  world.settle();
  expect_success(client, id);
}

Test(backups, are_one_at_a_time_for_each_database) {
  CoreWorld world({}, {"a", "b"});
  CoreClient& client = world.connect();
  const auto backup_of = [&](const char* database) {
    return world.send(client, [&](wire::Request::Builder request) {
      request.setDatabase(database);
      request.setBackup();
    });
  };
  const auto first = backup_of("a");
  expect_error(client, backup_of("a"), ErrorCode::kUnavailable);
  const auto other = backup_of("b");
  world.settle();
  expect_success(client, first);
  expect_success(client, other);
  const auto again = backup_of("a");
  world.settle();
  expect_success(client, again);
}

Test(backups, that_are_cancelled_while_they_copy_are_dropped_by_the_lane) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = backup(world, client);
  world.cancel(client, id);
  cr_expect(client.answer_to(id) == nullptr, "a slice is under way");
  world.copy_slice(false);
  expect_error(client, id, ErrorCode::kCancelled);
  cr_assert(is_of_kind(world.job(), JobKind::kBackupEnd));
  world.succeed();
  const auto again = backup(world, client);
  world.settle();
  expect_success(client, again);
}

Test(backups, whose_session_dies_leave_nothing) {
  CoreWorld world;
  CoreClient& copying = world.connect();
  backup(world, copying);
  world.disconnect(copying);
  world.copy_slice(true);
  cr_expect(world.job_count() == 0, "the finished copy goes by itself");
  CoreClient& streaming = world.connect();
  backup(world, streaming);
  world.copy_slice(true);
  streaming.unsent = 100'000'000;
  world.stream(1'000'000);
  world.disconnect(streaming);
  cr_expect(world.job_count() == 0);
  CoreClient& last = world.connect();
  const auto id = backup(world, last);
  world.settle();
  expect_success(last, id);
}

Test(backups, without_credit_hold_no_thread_and_end_after_a_while) {
  Limits limits;
  limits.stream_window_bytes = 1;
  limits.stream_idle_ms_max = 500;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  const auto id = backup(world, client);
  world.copy_slice(true);
  world.stream(100'000);
  cr_expect(world.job_count() == 0);
  world.grant(client, id, 200'000);
  cr_assert(is_of_kind(world.job(), JobKind::kBackupRead));
  world.stream(300'000);
  world.pass_ms(499);
  cr_expect(client.answer_to(id) == nullptr);
  world.pass_ms(1);
  expect_error(client, id, ErrorCode::kLimit);
  const auto again = backup(world, client);
  cr_expect(world.job_count() == 1, "%lu", again);
}

Test(backups, end_at_their_deadline_wherever_they_are) {
  CoreWorld world;
  CoreClient& client = world.connect();
  CoreClient& writer = world.connect();
  world.begin(writer, 1);
  world.succeed();
  const auto id = world.send(client, [](wire::Request::Builder request) {
    request.setDeadlineMs(100);
    request.setBackup();
  });
  world.pass_ms(100);
  expect_error(client, id, ErrorCode::kDeadline);
  cr_expect(world.job_count() == 0, "it has not begun");
}

Test(backups, that_fail_say_so_and_free_the_place) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = backup(world, client);
  world.fail(ErrorCode::kDiskFull, false);
  expect_error(client, id, ErrorCode::kDiskFull);
  const auto again = backup(world, client);
  world.settle();
  expect_success(client, again);
}

Test(backups, are_no_part_of_a_transaction) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "BEGIN");
  world.settle();
  expect_error(client, backup(world, client), ErrorCode::kTransactionState);
}
