// Streams whose first batch is made on the loop thread: which, and what becomes of the rest.
#include <criterion/criterion.h>
#include <fmt/format.h>

#include "daemon/core/inline_reads.h"
#include "tests/core/core_world.h"

namespace {

using namespace skua;
using namespace skua::test;

constexpr const char* kSql = "SELECT * FROM big";

struct Scene {
  explicit Scene(Limits limits = {}) : world(limits) {
    world.executor.on_start_inline = [this](Job& job) {
      cr_assert(job.kind == JobKind::kRequest && job.slot < kInlineSlot && job.frames.empty());
      first_batch_bytes = job.first_batch_bytes;
      ++asked;
      if (outcome != InlineRead::kDone) return outcome;
      job.frames.push_back(rows_response(job.request->id, 2'000, ends));
      job.ended = ends;
      job.cursor_open = !ends;
      job.started_shortly = !ends;
      job.run_us = run_us;
      return outcome;
    };
  }
  // The text becomes known as one whose first batch comes quickly.
  void teach(CoreClient& client) {
    world.execute(client, kSql);
    world.stream_shortly(8'000);
    world.succeed();
    cr_assert_eq(world.job_count(), 0u);
    cr_assert_eq(asked, 0u);
  }

  InlineRead outcome = InlineRead::kDone;
  bool ends = false;
  std::uint64_t run_us = 0;
  std::size_t asked = 0;
  std::size_t first_batch_bytes = 0;
  CoreWorld world;
};

// The client leaves a stream as soon as it has its first rows.
void leave_early(Scene& scene, CoreClient& client) {
  const std::uint64_t id = scene.world.execute(client, kSql);
  scene.world.cancel(client, id);
  scene.world.settle();
  cr_assert_eq(client.terminal_answers_to(id), 1u);
}

}  // namespace

Test(stream_start, the_loop_thread_makes_the_first_batch_once_a_lane_was_quick_with_it) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  const std::size_t before = client.answers.size();
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 1u);
  cr_expect_eq(scene.first_batch_bytes, kLoopBatchBytes);
  cr_expect_eq(client.answers.size(), before + 1);
  cr_assert_eq(scene.world.job_count(), 1u, "a lane makes the rest");
  cr_expect(scene.world.job().kind == JobKind::kContinue);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(stream_start, one_that_was_slow_on_a_lane_stays_there) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.execute(client, kSql);
  scene.world.stream(8'000);
  scene.world.succeed();
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 0u);
}

Test(stream_start, one_that_is_stopped_is_run_on_a_lane_and_no_longer_trusted) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.outcome = InlineRead::kOverrun;
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u);
  cr_expect(scene.world.job().kind == JobKind::kRequest);
  cr_expect_eq(scene.world.job().first_batch_bytes, kFirstBatchBytes);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 1u);
}

Test(stream_start, one_that_took_long_without_being_stopped_is_no_longer_trusted) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.run_us = InlineReads::kShortUsMax + 1;
  scene.world.execute(client, kSql);
  scene.world.succeed();
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 1u);
}

Test(stream_start, one_that_is_refused_is_run_on_a_lane_and_nothing_is_held_against_it) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.outcome = InlineRead::kRefused;
  scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.stream_shortly(8'000);
  scene.world.succeed();
  scene.outcome = InlineRead::kDone;
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 2u);
}

Test(stream_start, one_that_turns_out_to_have_no_more_rows_ends_at_once) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.ends = true;
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_expect_eq(client.terminal_answers_to(id), 1u);
  cr_expect_eq(scene.world.job_count(), 0u);
  // Its connection is free.
  const std::uint64_t next = scene.world.execute(client, kSql);
  cr_expect_eq(client.terminal_answers_to(next), 1u);
}

Test(stream_start, one_turn_of_the_loop_makes_only_so_many) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  for (std::uint32_t i = 0; i <= InlineReads::kStartsPerTurnMax; ++i) scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, InlineReads::kStartsPerTurnMax);
  scene.world.pass_turn();
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, InlineReads::kStartsPerTurnMax + 1);
}

Test(stream_start, without_credit_it_is_parked) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  const std::uint64_t id = scene.world.execute(client, kSql, 0, 0, 1);
  cr_expect_eq(scene.asked, 1u);
  cr_expect_eq(scene.world.job_count(), 0u);
  scene.world.grant(client, id, 100'000);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(stream_start, while_nobody_sleeps_no_thread_is_woken_for_a_moment) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.wait(true);
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 1u);
  scene.world.pass_turn();
  cr_expect_eq(scene.world.job_count(), 0u);
  scene.world.now_us += 20;
  scene.world.pass_turn();
  cr_assert_eq(scene.world.job_count(), 1u);
  cr_expect(scene.world.job().kind == JobKind::kContinue);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(stream_start, a_thread_is_woken_at_the_latest_when_the_loop_goes_to_sleep) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.wait(true);
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.world.job_count(), 0u);
  scene.world.wait(false);
  cr_expect_eq(scene.world.job_count(), 1u);
}

Test(stream_start, credit_says_that_its_client_goes_on) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.wait(true);
  const std::uint64_t id = scene.world.execute(client, kSql);
  scene.world.grant(client, id, 1'000);
  cr_expect_eq(scene.world.job_count(), 1u);
  scene.world.now_us += 20;
  scene.world.pass_turn();
  cr_expect_eq(scene.world.job_count(), 1u);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(stream_start, one_that_is_left_at_once_is_closed_by_the_loop_thread) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.wait(true);
  const std::uint64_t id = scene.world.execute(client, kSql);
  scene.world.cancel(client, id);
  cr_expect_eq(client.terminal_answers_to(id), 1u);
  cr_assert_eq(scene.world.job_count(), 1u);
  cr_expect(scene.world.job().kind == JobKind::kClose && scene.world.job().at_once);
  scene.world.succeed();
  scene.world.now_us += 20;
  scene.world.pass_turn();
  cr_expect_eq(scene.world.job_count(), 0u);
}

Test(stream_start, one_that_a_thread_went_on_with_is_closed_by_a_thread) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  const std::uint64_t id = scene.world.execute(client, kSql, 0, 0, 10'000);
  scene.world.stream(20'000);
  cr_expect_eq(scene.world.job_count(), 0u, "it lacks credit");
  scene.world.cancel(client, id);
  cr_assert_eq(scene.world.job_count(), 1u);
  cr_expect(scene.world.job().kind == JobKind::kClose && !scene.world.job().at_once);
}

Test(stream_start, a_thread_waits_longer_for_one_that_was_left_early_the_last_time) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  leave_early(scene, client);
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_expect_lt(scene.first_batch_bytes, kLoopBatchBytes);
  scene.world.wait(false);
  cr_expect_eq(scene.world.job_count(), 0u);
  scene.world.pass_ms(1);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
  // It was waited for in vain.
  leave_early(scene, client);
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.first_batch_bytes, kLoopBatchBytes);
  cr_expect_eq(scene.world.job_count(), 1u);
}

Test(stream_start, who_leaves_late_or_reads_to_the_end_has_not_left_early) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  leave_early(scene, client);
  leave_early(scene, client);
  const std::uint64_t late = scene.world.execute(client, kSql);
  scene.world.now_us += InlineReads::kLeftEarlyUsMax + 1;
  scene.world.cancel(client, late);
  scene.world.settle();
  scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.succeed();

  Scene other;
  CoreClient& reader = other.world.connect();
  other.teach(reader);
  leave_early(other, reader);
  const std::uint64_t whole = other.world.execute(reader, kSql);
  other.world.grant(reader, whole, 1'000);
  other.world.succeed();
  other.world.execute(reader, kSql);
  cr_expect_eq(other.world.job_count(), 1u);
}
