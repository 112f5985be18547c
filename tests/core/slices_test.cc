// executeMany whose rows are independent: after each slice it waits for its turn again, and whatever ends it in
// between says how far it came.
#include <criterion/criterion.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::CoreClient;
using skua::test::CoreWorld;

struct Scene {
  explicit Scene(Limits limits = {}) : world(limits), bulk(world.connect()), other(world.connect()) {}

  std::uint64_t start(std::uint32_t deadline_ms = 0) {
    return id = world.execute_many(bulk, true, 0, deadline_ms);
  }
  // Lets the other session's transaction have the lane after a slice of so many rows.
  void slice_and_let_the_other_begin(std::uint64_t rows) {
    world.begin(other, 1);
    world.slice(rows);
    cr_assert(world.job().kind == JobKind::kBegin);
    world.succeed();
    cr_assert_eq(world.job_count(), 0u);
  }
  bool is_the_bulks(const Job& job) const {
    return job.request != nullptr and job.request->id == id and job.slices != nullptr;
  }
  void expect_end(ErrorCode code, std::int64_t row, std::string_view words) {
    const auto* answer = bulk.answer_to(id);
    cr_assert(answer != nullptr and answer->error.has_value());
    cr_expect(answer->error->code == code, "%s", answer->error->message.c_str());
    cr_expect_eq(answer->error->row, row);
    cr_expect(answer->error->message.find(words) != std::string::npos, "%s", answer->error->message.c_str());
  }
  void expect_success() {
    cr_assert(bulk.answer_to(id) != nullptr and not bulk.answer_to(id)->error.has_value());
    cr_assert_eq(bulk.terminal_answers_to(id), 1u);
  }

  CoreWorld world;
  CoreClient& bulk;
  CoreClient& other;
  std::uint64_t id = 0;
};

}  // namespace

Test(slices, the_answer_comes_after_the_last) {
  Scene scene;
  scene.start();
  for (int i = 0; i < 3; ++i) {
    scene.world.slice(10);
    cr_assert(scene.bulk.answer_to(scene.id) == nullptr);
    cr_assert_eq(scene.world.job().slices->rows_done, 10u * static_cast<unsigned>(i + 1));
  }
  scene.world.succeed();
  scene.expect_success();
  cr_assert_eq(scene.world.job_count(), 0u);
}

Test(slices, have_the_length_that_the_limit_says) {
  for (const std::uint32_t ms : {0u, 20u, 10'000u}) {
    Limits limits;
    limits.bulk_slice_ms_max = ms;
    Scene scene(limits);
    scene.start();
    cr_assert_eq(scene.world.job().slices->slice_us_max, ms * 1000u);
  }
  cr_assert_eq(Limits().bulk_slice_ms_max, 20u);
}

Test(slices, are_no_part_of_a_group) {
  Scene scene;
  scene.start();
  cr_assert(not scene.world.job().may_join_group);
  const auto atomic = scene.world.execute_many(scene.other, false);
  cr_assert_eq(scene.world.executor.jobs.back()->request->id, atomic);
  cr_assert(scene.world.executor.jobs.back()->may_join_group);
  cr_assert(scene.world.executor.jobs.back()->slices == nullptr);
}

Test(slices, let_the_writes_of_others_go_before_the_next_one) {
  Scene scene;
  scene.start();
  const auto first = scene.world.execute(scene.other, "INSERT INTO t VALUES (1)");
  const auto second = scene.world.execute(scene.other, "INSERT INTO t VALUES (2)");
  scene.world.slice(10);
  cr_assert_eq(scene.world.job_count(), 3u);
  cr_assert_eq(scene.world.executor.jobs[0]->request->id, first);
  cr_assert_eq(scene.world.executor.jobs[1]->request->id, second);
  cr_assert(scene.is_the_bulks(*scene.world.executor.jobs[2]));
}

Test(slices, let_the_transaction_of_another_go_before_the_next_one) {
  Scene scene;
  scene.start();
  scene.slice_and_let_the_other_begin(10);
  scene.world.commit(scene.other, 1);
  scene.world.succeed();
  cr_assert(scene.is_the_bulks(scene.world.job()));
  scene.world.succeed();
  scene.expect_success();
}

Test(slices, of_two_sessions_take_turns) {
  Scene scene;
  scene.start();
  const auto others = scene.world.execute_many(scene.other, true);
  for (int i = 0; i < 3; ++i) {
    cr_assert(scene.is_the_bulks(scene.world.job()));
    scene.world.slice(1);
    cr_assert_eq(scene.world.job().request->id, others);
    scene.world.slice(1);
  }
}

Test(slices, wait_even_if_the_queue_is_full) {
  Limits limits;
  limits.write_queue_max = 1;
  Scene scene(limits);
  scene.start();
  CoreClient& third = scene.world.connect();
  scene.world.begin(scene.other, 1);
  scene.world.begin(third, 1);  // refused, and not the slice
  scene.world.slice(10);
  scene.world.succeed();
  const auto waiting = scene.world.execute(third, "INSERT INTO t VALUES (1)");
  cr_assert(third.answer_to(waiting)->error->code == ErrorCode::kLimit);
  scene.world.commit(scene.other, 1);
  scene.world.succeed();
  cr_assert(scene.is_the_bulks(scene.world.job()));
}

Test(slices, a_large_message_does_not_keep_others_out_of_the_lane) {
  Limits limits;
  limits.group_bytes_max = 1;
  Scene scene(limits);
  scene.start();
  scene.world.execute(scene.other, "INSERT INTO t VALUES (1)");
  cr_assert_eq(scene.world.job_count(), 2u);
}

Test(slices, a_cancel_between_two_tells_what_is_committed) {
  Scene scene;
  scene.start();
  scene.slice_and_let_the_other_begin(10);
  scene.world.cancel(scene.bulk, scene.id);
  scene.expect_end(ErrorCode::kCancelled, 10, "10 rows of the request are committed");
  scene.world.rollback(scene.other, 1);
  scene.world.succeed();
  cr_assert_eq(scene.world.job_count(), 0u);
}

Test(slices, a_cancel_while_one_waits_in_the_lane_tells_what_is_committed) {
  Scene scene;
  scene.start();
  scene.world.execute(scene.other, "INSERT INTO t VALUES (1)");
  scene.world.slice(1);
  scene.world.cancel(scene.bulk, scene.id);
  scene.expect_end(ErrorCode::kCancelled, 1, "1 row of the request is committed");
  scene.world.settle();
  cr_assert_eq(scene.bulk.terminal_answers_to(scene.id), 1u);
}

Test(slices, a_cancel_while_one_runs_is_obeyed_when_it_is_done) {
  Scene scene;
  scene.start();
  scene.world.cancel(scene.bulk, scene.id);
  cr_assert(scene.bulk.answer_to(scene.id) == nullptr);
  scene.world.slice(7);
  scene.expect_end(ErrorCode::kCancelled, 7, "7 rows");
  cr_assert_eq(scene.world.job_count(), 0u);
}

Test(slices, one_that_is_cancelled_before_its_first_row_has_no_row) {
  Scene scene;
  scene.world.begin(scene.other, 1);
  scene.world.succeed();
  scene.start();
  scene.world.cancel(scene.bulk, scene.id);
  scene.expect_end(ErrorCode::kCancelled, -1, "was cancelled");
}

Test(slices, a_deadline_between_two_tells_what_is_committed) {
  Scene scene;
  scene.start(50);
  scene.slice_and_let_the_other_begin(10);
  scene.world.pass_ms(51);
  scene.expect_end(ErrorCode::kDeadline, 10, "10 rows");
}

Test(slices, waiting_too_long_between_two_tells_what_is_committed) {
  Limits limits;
  limits.write_wait_ms_max = 100;
  Scene scene(limits);
  scene.start();
  scene.world.pass_ms(90);  // each wait is counted for itself
  scene.slice_and_let_the_other_begin(10);
  scene.world.pass_ms(99);
  cr_assert(scene.bulk.answer_to(scene.id) == nullptr);
  scene.world.pass_ms(2);
  scene.expect_end(ErrorCode::kLimit, 10, "write_wait_ms_max");
}

Test(slices, a_row_that_fails_tells_what_is_committed) {
  Scene scene;
  scene.start();
  scene.world.slice(10);
  scene.world.job().slices->rows_done = 12;
  scene.world.fail(ErrorCode::kConstraint, false);
  scene.expect_end(ErrorCode::kConstraint, 12, "12 rows of the request are committed");
}

Test(slices, an_error_after_which_the_lane_did_nothing_ends_it) {
  Scene scene;
  scene.start();
  scene.world.slice(10);
  scene.world.fail(ErrorCode::kUnavailable, false);
  scene.expect_end(ErrorCode::kUnavailable, 10, "10 rows");
  cr_assert_eq(scene.world.job_count(), 0u);
}

Test(slices, a_session_that_dies_leaves_no_slice_behind) {
  Scene scene;
  scene.start();
  scene.world.disconnect(scene.bulk);
  cr_assert(scene.world.job().request->token.is_cancelled());
  scene.world.slice(10);
  cr_assert_eq(scene.world.job_count(), 0u);
  const auto next = scene.world.execute(scene.other, "INSERT INTO t VALUES (1)");
  scene.world.succeed();
  cr_assert(scene.other.answer_to(next) != nullptr);
}

Test(slices, a_session_that_dies_between_two_leaves_none_behind) {
  Scene scene;
  scene.start();
  scene.slice_and_let_the_other_begin(10);
  scene.world.disconnect(scene.bulk);
  scene.world.rollback(scene.other, 1);
  scene.world.succeed();
  cr_assert_eq(scene.world.job_count(), 0u);
}

Test(slices, a_shutdown_ends_them_between_two) {
  Scene scene;
  loop_thread.assert_here();
  scene.start();
  scene.world.slice(10);
  scene.world.dispatcher->start_drain(scene.world.now_us);
  cr_assert(scene.bulk.answer_to(scene.id) == nullptr);
  scene.world.slice(5);
  scene.expect_end(ErrorCode::kUnavailable, 15, "shutting down");
  cr_assert(scene.bulk.closed);
  cr_assert_eq(scene.world.job_count(), 0u);
}

Test(slices, a_shutdown_ends_those_that_wait_at_once) {
  Scene scene;
  loop_thread.assert_here();
  scene.start();
  scene.slice_and_let_the_other_begin(10);
  scene.world.dispatcher->start_drain(scene.world.now_us);
  scene.expect_end(ErrorCode::kUnavailable, 10, "10 rows");
  cr_assert(not scene.other.closed);
}

Test(slices, are_refused_inside_of_a_transaction) {
  for (const bool keep : {true, false}) {
    Scene scene;
    scene.world.begin(scene.bulk, 1, false, keep);
    scene.world.succeed();
    scene.id = scene.world.execute_many(scene.bulk, true, 1);
    scene.expect_end(ErrorCode::kTransactionState, -1, "in slices");
    const TransactionState state = scene.bulk.answer_to(scene.id)->error->transaction;
    cr_expect_eq(state, keep ? TransactionState::kOpen : TransactionState::kAborted);
    scene.world.settle();
  }
}

Test(slices, are_refused_with_an_idempotency_key) {
  Scene scene;
  scene.id = scene.world.send(scene.bulk, [](wire::Request::Builder request) {
    request.initIdempotencyKey(3);
    request.initExecuteMany().setSql("INSERT INTO t VALUES (?)");
    request.getExecuteMany().setIndependent(true);
  });
  scene.expect_end(ErrorCode::kProtocol, -1, "not independent");
}

Test(slices, wait_while_the_log_is_emptied) {
  Scene scene;
  loop_thread.assert_here();
  scene.start();
  scene.world.log_bytes[0] = Limits().wal_bytes_max + 1;
  scene.world.slice(10);
  cr_assert(scene.world.job().kind == JobKind::kCheckpoint);
  cr_assert_eq(scene.world.job_count(), 1u);
  scene.world.checkpoint(true);
  cr_assert(scene.is_the_bulks(scene.world.job()));
}
