// JobRunner: requests that are cancelled before, while and after they run.
#include <criterion/criterion.h>

#include <latch>
#include <thread>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

// Never ends by itself. started() tells that it runs.
constexpr std::string_view kEndless = "WITH RECURSIVE n(i) AS (SELECT started() UNION ALL SELECT i + 1 FROM n) ";

// Cancels a request as soon as its statement runs, from another thread, as the loop thread does.
class Canceller {
 public:
  Canceller(Connection& connection, Request& request, CancelReason reason)
      : thread_([this, &request, reason] {
          started_.wait();
          request.token.cancel(reason);
        }) {
    sqlite3_create_function_v2(
        connection.handle(), "started", 0, SQLITE_UTF8, &started_,
        [](sqlite3_context* context, int, sqlite3_value**) {
          start(*static_cast<std::latch*>(sqlite3_user_data(context)));
          sqlite3_result_int(context, 1);
        },
        nullptr, nullptr, nullptr);
  }
  ~Canceller() {
    // If the statement never ran.
    start(started_);
    thread_.join();
  }

 private:
  static void start(std::latch& started) {
    if (!started.try_wait()) started.count_down();
  }

  std::latch started_{1};
  std::thread thread_;
};

// Cancels a request when its statement has changed a row, as one that comes while it is committed.
void cancel_at_change(Connection& connection, Request& request) {
  sqlite3_update_hook(
      connection.handle(),
      [](void* token, int, const char*, const char*, sqlite3_int64) {
        static_cast<CancelToken*>(token)->cancel(CancelReason::kDeadline);
      },
      &request.token);
}

struct Reason {
  CancelReason reason;
  ErrorCode code;
};
constexpr Reason kReasons[] = {{CancelReason::kClient, ErrorCode::kCancelled},
                               {CancelReason::kDeadline, ErrorCode::kDeadline},
                               {CancelReason::kSessionGone, ErrorCode::kCancelled},
                               {CancelReason::kLimit, ErrorCode::kLimit},
                               {CancelReason::kAborted, ErrorCode::kTransactionAborted}};

}  // namespace

Test(job_cancel, a_request_that_is_cancelled_before_it_runs_does_nothing) {
  for (const Reason& reason : kReasons) {
    ScratchDatabase scratch;
    scratch.run({"CREATE TABLE t(a)"});
    const auto request = execute_request("INSERT INTO t VALUES (1)");
    request->token.cancel(reason.reason);
    expect_error(error_of(Lane(scratch.writer()).run(request)), reason.code);
    expect_text(text_of(scratch.writer(), "SELECT count(*) FROM t"), "0");
  }
}

Test(job_cancel, a_running_read_stops_with_the_reason) {
  for (const Reason& reason : kReasons) {
    ScratchDatabase scratch;
    Lane lane(scratch.reader());
    const auto request = execute_request(std::string(kEndless) + "SELECT count(*) FROM n");
    const Canceller canceller(scratch.reader(), *request, reason.reason);
    const Job job = lane.run(request);
    expect_error(error_of(job), reason.code);
    cr_assert(!job.transaction_open);
    expect_text(text_of(lane.execute("SELECT 1")), "1");
  }
}

Test(job_cancel, a_statement_stops_a_few_rows_behind_the_cancel_however_long_each_of_them_takes) {
  struct Calls {
    CancelToken* token;
    int count = 0;
  };
  ScratchDatabase scratch;
  const auto request = execute_request(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT sum(long(i)) FROM n");
  Calls calls{&request->token};
  // Cancels, and goes on as one that goes over megabytes.
  sqlite3_create_function_v2(
      scratch.reader().handle(), "long", 1, SQLITE_UTF8, &calls,
      [](sqlite3_context* context, int, sqlite3_value**) {
        Calls& made = *static_cast<Calls*>(sqlite3_user_data(context));
        made.token->cancel(CancelReason::kClient);
        ++made.count;
        sqlite3_result_int(context, 1);
      },
      nullptr, nullptr, nullptr);
  expect_error(error_of(Lane(scratch.reader()).run(request)), ErrorCode::kCancelled);
  cr_expect(calls.count <= 4, "%d rows", calls.count);
}

Test(job_cancel, a_running_write_stops_and_is_undone) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)", "INSERT INTO t VALUES (1)"});
  Lane lane(scratch.writer());
  const auto request = execute_request(std::string(kEndless) + "INSERT INTO t SELECT i FROM n");
  const Canceller canceller(scratch.writer(), *request, CancelReason::kClient);
  expect_error(error_of(lane.run(request)), ErrorCode::kCancelled, "the request was cancelled");
  expect_text(text_of(lane.execute("SELECT a FROM t")), "1");
}

Test(job_cancel, a_running_write_takes_its_transaction_with_it_and_says_so) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  lane.begin();
  (void)answer_of(lane.execute("INSERT INTO t VALUES (1)"));
  const auto request = execute_request(std::string(kEndless) + "INSERT INTO t SELECT i FROM n");
  const Canceller canceller(scratch.writer(), *request, CancelReason::kDeadline);
  const Job job = lane.run(request);
  expect_error(error_of(job), ErrorCode::kDeadline, "deadline");
  cr_assert(!job.transaction_open);
  lane.rollback();
  expect_text(text_of(lane.execute("SELECT count(*) FROM t")), "0");
}

Test(job_cancel, a_running_read_leaves_its_transaction_open) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  lane.begin();
  (void)answer_of(lane.execute("INSERT INTO t VALUES (1)"));
  const auto request = execute_request(std::string(kEndless) + "SELECT count(*) FROM n");
  const Canceller canceller(scratch.writer(), *request, CancelReason::kClient);
  const Job job = lane.run(request);
  expect_error(error_of(job), ErrorCode::kCancelled);
  cr_assert(job.transaction_open);
  cr_assert(!lane.commit().transaction_open);
  expect_text(text_of(scratch.reader(), "SELECT a FROM t"), "1");
}

Test(job_cancel, a_running_execute_many_is_undone_as_a_whole) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  const auto request = execute_many_request(
      "WITH RECURSIVE n(i) AS (SELECT iif(?1 = 3, started(), 1) UNION ALL SELECT i + 1 FROM n WHERE ?1 = 3) "
      "INSERT INTO t SELECT i FROM n",
      {{1}, {2}, {3}});
  const Canceller canceller(scratch.writer(), *request, CancelReason::kClient);
  const Job job = lane.run(request);
  expect_error(error_of(job), ErrorCode::kCancelled);
  cr_assert_eq(job.error->row, 2);
  expect_text(text_of(scratch.writer(), "SELECT count(*) FROM t"), "0");
}

Test(job_cancel, a_running_program_is_undone_whatever_its_steps_may) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  const auto request = program_request({{.sql = "INSERT INTO t VALUES (1)"},
                                        {.sql = std::string(kEndless) + "SELECT count(*) FROM n", .may_fail = true},
                                        {.sql = "INSERT INTO t VALUES (2)"}});
  const Canceller canceller(scratch.writer(), *request, CancelReason::kDeadline);
  const Job job = lane.run(request);
  expect_error(error_of(job), ErrorCode::kDeadline);
  cr_assert(!job.transaction_open);
  expect_text(text_of(scratch.writer(), "SELECT count(*) FROM t"), "0");
}

Test(job_cancel, a_parked_cursor_is_closed) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  const auto request =
      execute_request("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n");
  cr_assert(lane.run(request).cursor_open);
  request->token.cancel(CancelReason::kClient);
  expect_error(error_of(lane.run(JobKind::kContinue, request)), ErrorCode::kCancelled);
  cr_assert(scratch.reader().find_cursor(request->serial) == nullptr);
}

Test(job_cancel, a_late_cancel_hits_nobody) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  const auto request = execute_request("SELECT 1");
  expect_text(text_of(lane.run(request)), "1");
  request->token.cancel(CancelReason::kClient);
  constexpr std::string_view kLong = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
                                     "SELECT count(*) FROM n";
  expect_text(text_of(lane.execute(kLong)), "100000");
}

Test(job_cancel, an_error_of_the_statement_itself_is_told_as_it_is) {
  ScratchDatabase scratch;
  const auto request = execute_request("SELECT json(iif(started(), '{', '{}'))");
  const Canceller canceller(scratch.reader(), *request, CancelReason::kClient);
  expect_error(error_of(Lane(scratch.reader()).run(request)), ErrorCode::kSql, "malformed JSON");
}

Test(job_cancel, begin_commit_and_rollback_do_not_look_at_the_token) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  lane.begin();
  (void)answer_of(lane.execute("INSERT INTO t VALUES (1)"));
  const auto cancelled = execute_request("SELECT 1");
  cancelled->token.cancel(CancelReason::kClient);
  const Job commit = lane.run(JobKind::kCommit, cancelled);
  cr_assert(commit.error == nullptr && !commit.transaction_open);
  expect_text(text_of(scratch.reader(), "SELECT a FROM t"), "1");
  cr_assert(lane.run(JobKind::kRollback, cancelled).error == nullptr);
}

// SQLite looks at the token every thousand instructions, and once more after a statement is committed if the count is
// full just then: so each of these runs often enough to meet that.
Test(job_cancel, what_is_committed_is_not_reported_as_stopped) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  lane.relaxed = true;
  for (int i = 0; i < 500; ++i) {
    const std::shared_ptr<Request> requests[] = {
        execute_request("INSERT INTO t VALUES (1)"), execute_request("INSERT INTO t VALUES (1) RETURNING a"),
        execute_many_request("INSERT INTO t VALUES (?)", {{1}}), program_request({{.sql = "INSERT INTO t VALUES (1)"}}),
        program_request({{.sql = "INSERT INTO t VALUES (1)"}}, true)};
    for (const auto& request : requests) {
      cancel_at_change(scratch.writer(), *request);
      const Job job = lane.run(request);
      const std::string rows = text_of(scratch.reader(), "SELECT count(*) FROM t");
      expect_text(rows, job.error == nullptr ? "1" : "0");
      cr_assert(job.error == nullptr || job.error->code == ErrorCode::kDeadline);
      cr_assert(!job.transaction_open);
      scratch.run({"DELETE FROM t"});
    }
  }
}

Test(job_cancel, what_is_reported_as_stopped_inside_of_a_transaction_is_undone) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  lane.begin();
  int rows = 0;
  for (int i = 0; i < 500; ++i) {
    const auto request = execute_request("INSERT INTO t VALUES (1)");
    cancel_at_change(scratch.writer(), *request);
    const Job job = lane.run(request);
    if (job.error == nullptr) {
      ++rows;
    } else if (!job.transaction_open) {
      rows = 0;
      lane.rollback();
      lane.begin();
    }
    expect_text(text_of(scratch.writer(), "SELECT count(*) FROM t"), std::to_string(rows));
  }
}
