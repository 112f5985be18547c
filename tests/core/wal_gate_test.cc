// The gate of a drain: who waits there, who has a snapshot, and who has to end.
#include <criterion/criterion.h>

#include "tests/core/wal_scene.h"

using namespace skua;
using namespace skua::test;

namespace {

// One thread, which has a read under way; so whoever comes next has a connection and no snapshot.
struct CrowdedScene : WalScene {
  CrowdedScene() : WalScene(one_thread()), running(read(first)) { cr_assert(world.job_count() == 1); }

  static Limits one_thread() {
    Limits limits = small_budget();
    limits.reader_threads = 1;
    return limits;
  }

  CoreClient& first = world.connect();
  CoreClient& other = world.connect();
  const std::uint64_t running;
};

}  // namespace

Test(wal_gate, new_reads_wait_until_the_log_is_empty) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  const auto read = scene.read(other);
  const auto begin = scene.world.begin(other, 1, true);
  cr_expect(scene.world.job_count() == 0);
  scene.world.disconnect(client);
  scene.world.succeed();  // closes the stream's cursor
  cr_assert(is_checkpoint(scene.world.job()));
  cr_expect(scene.world.job_count() == 1);
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(other, read);
  expect_success(other, begin);
}

Test(wal_gate, who_waits_at_the_gate_can_be_cancelled) {
  WalScene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.start_drain(client);
  const auto read = scene.read(client);
  scene.world.cancel(client, read);
  cr_assert(answer_of(client, read).error.has_value());
  const auto late = scene.world.execute(client, "SELECT 1", 0, 10);
  scene.world.pass_ms(10);
  cr_expect(answer_of(client, late).error->code == ErrorCode::kDeadline);
}

Test(wal_gate, who_waits_for_a_thread_has_no_snapshot_and_is_not_ended) {
  CrowdedScene scene;
  const auto early = scene.read(scene.other);
  CoreClient& third = scene.world.connect();
  const auto begin = scene.world.begin(third, 1, true);
  const auto late = scene.read(scene.other);
  cr_assert(scene.world.counter(scene.first, "reader_connections_leased") == 4);
  scene.start_drain(scene.first);
  cr_expect(scene.world.counter(scene.first, "reads_waiting") == 3);
  scene.world.pass_ms(kWalGraceMs);
  scene.world.stream(5'000);  // it had just made a batch when it was stopped
  expect_wal_error(scene.first, scene.running, TransactionState::kNone);
  cr_assert(scene.world.job().kind == JobKind::kClose);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()), "nobody else is waited for");
  cr_expect(scene.other.answer_to(early) == nullptr);
  scene.world.checkpoint(true);
  scene.world.succeed();
  scene.world.succeed();
  expect_success(scene.other, early);
  expect_success(third, begin);
  cr_expect(scene.other.answer_to(late) == nullptr, "first in, first out");
  scene.world.settle();
  expect_success(scene.other, late);
}

Test(wal_gate, the_thread_is_for_those_who_have_to_end) {
  CrowdedScene scene;
  CoreClient& streaming = scene.world.connect();
  const auto read = scene.read(scene.other);
  scene.world.succeed();  // so that the read has the thread
  const auto stream = scene.read(streaming);
  scene.world.succeed();
  scene.world.stream(5'000);  // it waits for credit
  const auto again = scene.read(scene.first);
  const auto behind = scene.read(scene.first);
  scene.start_drain(scene.other);
  scene.world.grant(streaming, stream, 1'000'000);
  scene.world.succeed();
  expect_success(scene.first, again);
  scene.world.succeed();
  expect_success(streaming, stream);
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()));
  scene.world.checkpoint(true);
  scene.world.settle();
  expect_success(scene.other, read);
  expect_success(scene.first, behind);
}

Test(wal_gate, who_waits_for_a_thread_at_the_gate_can_be_stopped) {
  CrowdedScene scene;
  const auto cancelled = scene.read(scene.other);
  const auto begin = scene.world.begin(scene.other, 1, true);
  const auto late = scene.world.execute(scene.other, "SELECT 1", 0, 10);
  CoreClient& gone = scene.world.connect();
  scene.read(gone);
  scene.start_drain(scene.first);
  scene.world.cancel(scene.other, cancelled);
  scene.world.cancel(scene.other, begin);
  scene.world.disconnect(gone);
  scene.world.pass_ms(10);
  cr_expect(answer_of(scene.other, cancelled).error->code == ErrorCode::kCancelled);
  cr_expect(answer_of(scene.other, begin).error->code == ErrorCode::kCancelled);
  cr_expect(answer_of(scene.other, late).error->code == ErrorCode::kDeadline);
  scene.world.succeed();
  expect_success(scene.first, scene.running);
  scene.world.checkpoint(true);
  scene.world.settle();
  cr_expect(scene.world.counter(scene.first, "reader_connections_leased") == 0);
  cr_expect(scene.world.counter(scene.first, "reads_waiting") == 0);
}

Test(wal_gate, a_group_of_transactions_waits_at_the_gate_with_all_its_connections) {
  CrowdedScene scene;
  const auto group = scene.world.send(scene.other, [](wire::Request::Builder request) {
    request.setTransaction(1);
    auto begin = request.initBegin();
    begin.setMode(wire::TransactionMode::READ);
    auto siblings = begin.initSiblings(2);
    siblings.set(0, 2);
    siblings.set(1, 3);
  });
  scene.start_drain(scene.first);
  scene.world.succeed();
  cr_assert(scene.world.job_count() == 1 && is_checkpoint(scene.world.job()), "none of the three has a snapshot");
  scene.world.checkpoint(true);
  cr_assert(scene.world.job().kind == JobKind::kBegin);
  scene.world.settle();
  expect_success(scene.other, group);
}
