// Reads on the loop thread, as core/ sees them: which, when, and what becomes of those that do not fit.
#include <criterion/criterion.h>
#include <fmt/format.h>

#include "daemon/core/inline_reads.h"
#include "tests/core/core_world.h"

namespace {

using namespace skua;
using namespace skua::test;

constexpr const char* kSql = "SELECT a FROM t WHERE id = ?";

struct Scene {
  explicit Scene(Limits limits = {}) : world(limits) {
    world.executor.on_read_inline = [this](Job& job) {
      cr_assert_eq(job.slot, kInlineSlot);
      cr_assert(job.frames.empty() && job.error == nullptr && !job.was_short);
      ++asked;
      if (outcome != InlineRead::kDone) return outcome;
      job.frames.push_back(rows_response(job.request->id, answer_bytes, true));
      job.ended = true;
      job.was_short = is_short;
      job.run_us = run_us;
      job.was_only_interrupted = was_only_interrupted;
      return outcome;
    };
  }
  // The text becomes known as a short one.
  void teach(CoreClient& client, const std::string& sql = kSql) {
    world.execute(client, sql);
    world.succeed_shortly(world.job_count() - 1);
    cr_assert_eq(world.job_count(), 0u);
  }
  // Sends one, and expects that the loop thread answers it.
  void expect_inline(CoreClient& client, const std::string& sql = kSql) { expect_inline_beside(client, 0, sql); }
  // The same while so many jobs are under way.
  void expect_inline_beside(CoreClient& client, std::size_t jobs, const std::string& sql = kSql) {
    const std::size_t before = asked;
    const std::uint64_t id = world.execute(client, sql);
    cr_expect_eq(asked, before + 1);
    cr_expect_eq(client.terminal_answers_to(id), 1u);
    cr_expect_eq(world.job_count(), jobs);
  }

  InlineRead outcome = InlineRead::kDone;
  std::size_t answer_bytes = 100;
  bool is_short = true;
  std::uint64_t run_us = 0;
  bool was_only_interrupted = false;
  std::size_t asked = 0;
  CoreWorld world;
};

}  // namespace

Test(inline_reads, a_read_runs_on_the_loop_thread_once_it_was_short_on_a_lane) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.succeed();
  scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u, "one that was not short does not count");
  scene.world.succeed_shortly();
  cr_expect_eq(scene.asked, 0u);
  for (int i = 0; i < 10; ++i) scene.expect_inline(client);
  scene.world.execute(client, "SELECT another FROM t");
  cr_expect_eq(scene.world.job_count(), 1u);
}

Test(inline_reads, what_is_refused_is_run_on_a_lane_and_nothing_is_held_against_it) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.outcome = InlineRead::kRefused;
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u);
  cr_expect_eq(client.terminal_answers_to(id), 0u);
  scene.world.succeed_shortly();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
  scene.outcome = InlineRead::kDone;
  scene.expect_inline(client);
}

Test(inline_reads, what_overruns_is_run_again_and_has_to_earn_its_place_anew) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.outcome = InlineRead::kOverrun;
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
  scene.outcome = InlineRead::kDone;
  scene.asked = 0;
  for (int i = 0; i < 8; ++i) scene.teach(client);
  cr_expect_eq(scene.asked, 0u);
  scene.expect_inline(client);
}

Test(inline_reads, one_long_run_on_a_lane_starts_the_count_anew) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.outcome = InlineRead::kOverrun;
  scene.world.execute(client, kSql);
  scene.world.succeed();
  scene.outcome = InlineRead::kDone;
  for (int i = 0; i < 7; ++i) scene.teach(client);
  scene.world.execute(client, kSql);
  scene.world.succeed();
  scene.asked = 0;
  for (int i = 0; i < 8; ++i) scene.teach(client);
  cr_expect_eq(scene.asked, 0u);
  scene.expect_inline(client);
}

Test(inline_reads, one_that_was_done_but_took_too_long_goes_to_a_lane_next_time) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.is_short = false;
  scene.expect_inline(client);
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.world.job_count(), 1u);
}

Test(inline_reads, short_is_also_a_matter_of_time) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  for (const std::uint64_t run_us : {InlineReads::kShortUsMax + 1, InlineReads::kShortUsMax}) {
    scene.world.execute(client, kSql);
    cr_assert_eq(scene.world.job_count(), 1u);
    scene.world.job().run_us = run_us;
    scene.world.succeed_shortly();
  }
  scene.run_us = InlineReads::kShortUsMax;
  for (int i = 0; i < 3; ++i) scene.expect_inline(client);
  scene.run_us = InlineReads::kShortUsMax + 1;
  scene.expect_inline(client);
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.world.job_count(), 1u);
}

Test(inline_reads, the_time_that_others_had_the_processor_does_not_count) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.execute(client, kSql);
  scene.world.job().run_us = InlineReads::kShortUsMax + 1;
  scene.world.job().was_only_interrupted = true;
  scene.world.succeed_shortly();
  scene.run_us = InlineReads::kShortUsMax + 1;
  scene.was_only_interrupted = true;
  for (int i = 0; i < 3; ++i) scene.expect_inline(client);
  scene.was_only_interrupted = false;
  scene.expect_inline(client);
  scene.world.execute(client, kSql);
  cr_expect_eq(scene.world.job_count(), 1u);
}

Test(inline_reads, only_single_reads_outside_of_transactions) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.begin(client, 1, true);
  scene.world.succeed();
  scene.world.execute(client, kSql, 1);
  scene.world.succeed_shortly();
  scene.world.send(client, [](wire::Request::Builder request) {
    request.initProgram().initSteps(1)[0].setSql(kSql);
  });
  scene.world.succeed_shortly();
  scene.world.send(client, [](wire::Request::Builder request) { request.initDescribe().setSql(kSql); });
  scene.world.succeed_shortly();
  for (int i = 0; i < 2; ++i) {
    scene.world.execute(client, "DELETE FROM t");
    scene.world.succeed_shortly();
  }
  cr_expect_eq(scene.asked, 0u);
}

Test(inline_reads, of_read_transactions_what_is_known_to_be_short_may_run_at_once) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.begin(client, 1, true);
  cr_expect(scene.world.job().at_once);
  scene.world.succeed();
  scene.world.execute(client, kSql, 1);
  cr_expect(scene.world.job().at_once);
  scene.world.succeed_shortly();
  for (const bool is_known : {false, true}) {
    scene.world.execute(client, "SELECT b FROM t", 1);
    cr_expect_eq(scene.world.job().at_once, is_known);
    scene.world.succeed_shortly();
  }
  // What turns out to be long there is for the lanes.
  scene.world.execute(client, kSql, 1);
  cr_expect(scene.world.job().at_once);
  scene.world.succeed();
  scene.world.execute(client, kSql, 1);
  cr_expect_not(scene.world.job().at_once);
  scene.world.succeed();
  scene.world.commit(client, 1);
  cr_expect(scene.world.job().at_once);
  scene.world.succeed();
  cr_expect_eq(scene.asked, 0u);
}

Test(inline_reads, writes_and_what_is_outside_of_transactions_is_not_for_that) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.world.execute(client, kSql);
  cr_expect_not(scene.world.job().at_once);
  scene.world.succeed_shortly();
  scene.world.begin(client, 1);
  cr_expect_not(scene.world.job().at_once);
  scene.world.succeed();
  scene.world.execute(client, kSql, 1);
  cr_expect_not(scene.world.job().at_once);
  scene.world.succeed_shortly();
  scene.world.send(client, [](wire::Request::Builder request) {
    request.setTransaction(2);
    request.initBegin().setMode(wire::TransactionMode::READ);
    request.getBegin().setOnError(wire::TransactionErrorMode::ABORT);
  });
  cr_expect_not(scene.world.job().at_once);
  scene.world.settle();
}

Test(inline_reads, a_turn_runs_so_many_jobs_of_transactions_and_no_more) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.begin(client, 1, true);
  scene.world.succeed();
  scene.world.pass_turn();
  for (int turn = 0; turn < 2; ++turn) {
    for (std::uint32_t i = 0; i <= InlineReads::kJobsPerTurnMax; ++i) {
      scene.world.execute(client, kSql, 1);
      cr_expect_eq(scene.world.job().at_once, i < InlineReads::kJobsPerTurnMax);
      scene.world.succeed_shortly();
    }
    scene.world.pass_turn();
  }
}

Test(inline_reads, sql_longer_than_the_limit_is_for_the_lanes) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const std::string longest = "SELECT " + std::string(ReadHistory::kSqlBytesMax - 8, ' ') + "1";
  cr_assert_eq(longest.size(), ReadHistory::kSqlBytesMax);
  scene.teach(client, longest);
  scene.expect_inline(client, longest);
  for (int i = 0; i < 2; ++i) scene.teach(client, longest + " ");
  cr_expect_eq(scene.asked, 1u);
}

Test(inline_reads, a_session_gets_its_share_of_a_turn_and_the_rest_in_the_next) {
  Scene scene;
  CoreClient& greedy = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.teach(greedy);
  scene.world.pass_turn();
  std::vector<std::uint64_t> ids;
  for (std::uint32_t i = 0; i < InlineReads::kPerSessionMax + 3; ++i) ids.push_back(scene.world.execute(greedy, kSql));
  cr_expect_eq(scene.asked, InlineReads::kPerSessionMax);
  cr_expect_eq(scene.world.job_count(), 0u);
  scene.expect_inline(other);
  scene.world.pass_turn();
  for (const std::uint64_t id : ids) cr_expect_eq(greedy.terminal_answers_to(id), 1u);
  cr_expect_eq(scene.asked, InlineReads::kPerSessionMax + 4u);
}

Test(inline_reads, all_sessions_together_get_their_share_and_then_turns) {
  Scene scene;
  std::vector<CoreClient*> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(&scene.world.connect());
  scene.teach(*clients[0]);
  scene.world.pass_turn();
  for (CoreClient* client : clients) {
    for (std::uint32_t i = 0; i < InlineReads::kPerSessionMax; ++i) scene.world.execute(*client, kSql);
  }
  cr_expect_eq(scene.asked, InlineReads::kPerTurnMax);
  // What is left, and much more, of which a turn takes its part.
  for (std::uint32_t i = 0; i < 2 * InlineReads::kDeferredPerTurnMax; ++i) scene.world.execute(*clients[i % 2], kSql);
  scene.asked = 0;
  scene.world.pass_turn();
  cr_expect_eq(scene.asked, InlineReads::kDeferredPerTurnMax);
  loop_thread.assert_here();
  while (scene.world.dispatcher->next_time_us() == scene.world.now_us) scene.world.pass_turn();
  for (CoreClient* client : clients) {
    for (std::uint64_t id = 1; id <= client->last_id; ++id) cr_expect_eq(client->terminal_answers_to(id), 1u);
  }
}

Test(inline_reads, who_waits_for_the_next_turn_can_be_cancelled_and_can_die) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  CoreClient& mortal = scene.world.connect();
  scene.teach(client);
  scene.world.pass_turn();
  for (std::uint32_t i = 0; i < InlineReads::kPerSessionMax; ++i) {
    scene.world.execute(client, kSql);
    scene.world.execute(mortal, kSql);
  }
  const std::uint64_t cancelled = scene.world.execute(client, kSql);
  const std::uint64_t late = scene.world.execute(client, kSql, 0, 5);
  scene.world.execute(mortal, kSql);
  scene.asked = 0;
  scene.world.cancel(client, cancelled);
  scene.world.disconnect(mortal);
  cr_assert(client.answer_to(cancelled) != nullptr);
  cr_expect(client.answer_to(cancelled)->error->code == ErrorCode::kCancelled);
  scene.world.pass_ms(6);
  cr_assert(client.answer_to(late) != nullptr);
  cr_expect(client.answer_to(late)->error->code == ErrorCode::kDeadline);
  scene.world.pass_turn();
  cr_expect_eq(scene.asked, 0u);
}

Test(inline_reads, one_that_was_deferred_and_does_not_fit_goes_to_a_lane) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.world.pass_turn();
  for (std::uint32_t i = 0; i < InlineReads::kPerSessionMax; ++i) scene.world.execute(client, kSql);
  const std::uint64_t id = scene.world.execute(client, kSql);
  scene.outcome = InlineRead::kOverrun;
  scene.world.pass_turn();
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(inline_reads, an_answer_waits_for_credit_like_any_other) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.answer_bytes = 5'000;
  client.unsent = kStreamUnsentBytesMax;
  const std::uint64_t id = scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, 1u);
  cr_expect_eq(client.terminal_answers_to(id), 0u);
  client.unsent = 0;
  scene.world.grant(client, id, 10'000);
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(inline_reads, an_answer_that_nobody_takes_is_dropped_in_time) {
  Limits limits;
  limits.stream_idle_ms_max = 50;
  Scene scene(limits);
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.answer_bytes = 5'000;
  client.unsent = kStreamUnsentBytesMax;
  const std::uint64_t id = scene.world.execute(client, kSql);
  scene.world.pass_ms(51);
  cr_assert(client.answer_to(id) != nullptr);
  cr_expect(client.answer_to(id)->error->code == ErrorCode::kLimit);
  cr_expect_eq(scene.world.job_count(), 0u);
}

Test(inline_reads, pass_the_gate_of_a_drain_and_wait_only_while_the_log_is_emptied) {
  Limits limits;
  limits.wal_bytes_max = 10 * kMiB;
  limits.spool_total_bytes_max = 0;
  Scene scene(limits);
  CoreClient& client = scene.world.connect();
  CoreClient& slow = scene.world.connect();
  scene.teach(client);
  scene.world.execute(slow, "SELECT * FROM big", 0, 0, 1);
  scene.world.stream(5'000);
  scene.world.log_bytes[0] = limits.wal_bytes_max;
  scene.world.execute(client, "DELETE FROM t");
  scene.world.succeed();
  cr_assert(scene.world.job().kind == JobKind::kCheckpoint);
  scene.expect_inline_beside(client, 1);
  scene.world.checkpoint(false);
  scene.expect_inline(client);
  const std::uint64_t other = scene.world.execute(client, "SELECT another FROM t");
  cr_assert_eq(scene.world.job_count(), 0u, "it is not known to be short");
  scene.world.pass_ms(limits.wal_drain_ms_max);
  cr_assert(scene.world.job().kind == JobKind::kClose, "the stream is ended");
  scene.expect_inline_beside(client, 1);
  scene.world.succeed();
  cr_assert(scene.world.job().kind == JobKind::kCheckpoint);
  const std::size_t before = scene.asked;
  const std::uint64_t read = scene.world.execute(client, kSql);
  cr_expect_eq(scene.asked, before, "nobody has a snapshot now");
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.checkpoint(true);
  scene.world.settle();
  cr_expect_eq(client.terminal_answers_to(other), 1u);
  cr_expect_eq(client.terminal_answers_to(read), 1u);
  scene.teach(client);
  scene.expect_inline(client);
}

Test(inline_reads, the_snapshot_is_given_up_when_nobody_reads) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  scene.teach(client);
  scene.expect_inline(client);
  scene.world.pass_ms(60);
  scene.expect_inline(client);
  scene.world.pass_ms(60);
  cr_expect_eq(scene.world.executor.inline_snapshots_ended, 0u);
  scene.world.pass_ms(100);
  cr_expect_eq(scene.world.executor.inline_snapshots_ended, 1u);
  scene.world.pass_ms(1'000);
  cr_expect_eq(scene.world.executor.inline_snapshots_ended, 1u);
}

Test(read_history, keeps_the_texts_that_were_asked_for_last) {
  loop_thread.adopt();
  ReadHistory history;
  const auto text = [](std::size_t i) { return fmt::format("SELECT {}", i); };
  for (std::size_t i = 0; i < ReadHistory::kTextsMax; ++i) history.on_lane_run(text(i), true);
  cr_expect(history.is_short(text(0)));
  history.on_lane_run(text(ReadHistory::kTextsMax), true);
  cr_expect_eq(history.text_count(), ReadHistory::kTextsMax);
  cr_expect(history.is_short(text(0)));
  cr_expect(!history.is_short(text(1)));
  cr_expect(history.is_short(text(2)));
  history.on_lane_run("SELECT long", false);
  cr_expect_eq(history.text_count(), ReadHistory::kTextsMax);
}

Test(read_history, short_runs_make_up_for_long_ones) {
  loop_thread.adopt();
  ReadHistory history;
  history.on_lane_run(kSql, true);
  for (int i = 0; i < 20; ++i) history.on_inline_run(kSql, false);
  const auto lane_runs_until_short = [&] {
    loop_thread.assert_here();
    int runs = 0;
    for (; !history.is_short(kSql); ++runs) history.on_lane_run(kSql, true);
    return runs;
  };
  cr_expect_eq(lane_runs_until_short(), 4'096);
  for (int i = 0; i < 16 * (4'096 + 2'048); ++i) history.on_inline_run(kSql, true);
  history.on_inline_run(kSql, false);
  cr_expect_eq(lane_runs_until_short(), 4'096);
  for (int i = 0; i < 16 * 2 * 4'096; ++i) history.on_inline_run(kSql, true);
  history.on_inline_run(kSql, false);
  cr_expect_eq(lane_runs_until_short(), 8);
}
