// SliceRunner: executeMany whose rows are independent, slice by slice.
#include "daemon/engine/slice_runner.h"

#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/faulty_disk.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::string_view kInsert = "INSERT INTO t(a, b) VALUES (?, ?)";
// A slice of no time is one row long.
constexpr std::uint64_t kOneRow = 0;
constexpr std::uint64_t kAllRows = 1'000'000'000;

using Rows = std::vector<std::vector<Value>>;

struct Scene {
  Scene() { scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b)"}); }

  // Runs slices of that length to the end of the request.
  Job run(std::string_view sql, const Rows& rows, std::uint64_t slice_us = kAllRows) {
    return run(execute_many_request(sql, rows), slice_us);
  }
  Job run(const std::shared_ptr<Request>& request, std::uint64_t slice_us = kAllRows) {
    lane.slice_us_max = slice_us;
    lane.slices = nullptr;
    slice_count = 0;
    while (true) {
      Job job = lane.run_slice(request);
      ++slice_count;
      cr_assert(not job.transaction_open);
      rows_done = lane.slices->rows_done;
      if (not lane.slices->more) return job;
      cr_assert(job.error == nullptr and job.frames.empty() and not job.ended);
    }
  }
  // As another connection sees it, which is what is committed.
  std::string committed(std::string_view sql = "SELECT a, b FROM t ORDER BY id") {
    return text_of(scratch.reader(), sql);
  }

  ScratchDatabase scratch;
  Lane lane{scratch.writer()};
  std::size_t slice_count = 0;
  std::uint64_t rows_done = 0;
};

void expect_end(const Scene& scene, const Job& job, ErrorCode code, std::int64_t row) {
  expect_error(error_of(job), code);
  cr_assert_eq(job.error->row, row);
  cr_assert_eq(scene.rows_done, static_cast<std::uint64_t>(row));
}

// Both lengths of slices, between which nobody may see a difference.
constexpr std::uint64_t kLengths[] = {kOneRow, kAllRows};

}  // namespace

Test(job_slices, a_slice_of_no_time_is_one_row_and_is_committed) {
  Scene scene;
  scene.lane.slice_us_max = kOneRow;
  const auto request = execute_many_request(kInsert, {{1, "one"}, {2, "two"}});
  const Job first = scene.lane.run_slice(request);
  cr_assert(first.frames.empty() and not first.ended and first.error == nullptr);
  cr_assert(scene.lane.slices->more);
  expect_text(scene.committed(), "1|one");
  const Job second = scene.lane.run_slice(request);
  cr_assert(not scene.lane.slices->more);
  cr_assert_eq(answer_of(second).done->changes, 2u);
  expect_text(scene.committed(), "1|one\n2|two");
}

Test(job_slices, rows_that_fit_the_time_are_one_slice) {
  Scene scene;
  (void)answer_of(scene.run(kInsert, {{1, 1}, {2, 2}, {3, 3}}));
  cr_assert_eq(scene.slice_count, 1u);
}

Test(job_slices, the_summary_is_over_all_slices) {
  for (const std::uint64_t length : kLengths) {
    Scene scene;
    const Answer answer =
        answer_of(scene.run("INSERT OR IGNORE INTO t(a) VALUES (?)", {{1}, {1}, {2}, {2}}, length));
    cr_assert_eq(answer.done->changes, 2u);
    cr_assert_eq(answer.done->last_insert_rowid, 2);
    cr_assert_eq(answer.done->transaction, TransactionState::kNone);
  }
}

Test(job_slices, no_rows_change_nothing) {
  Scene scene;
  const Answer answer = answer_of(scene.run("DELETE FROM t", {}));
  cr_assert_eq(answer.done->changes, 0u);
  cr_assert_eq(scene.slice_count, 1u);
}

Test(job_slices, a_message_is_read_once_however_many_slices_there_are) {
  Scene scene;
  // Rows of NULL take no bytes, so that there is little to traverse.
  const Answer answer = answer_of(scene.run("INSERT INTO t(b) VALUES (?)", Rows(3000, {Null{}}), kOneRow));
  cr_assert_eq(answer.done->changes, 3000u);
  cr_assert_eq(scene.slice_count, 3000u);
}

Test(job_slices, an_error_undoes_its_row_keeps_those_before_it_and_tries_none_behind) {
  for (const std::uint64_t length : kLengths) {
    Scene scene;
    expect_end(scene, scene.run(kInsert, {{1, 1}, {2, 2}, {1, 3}, {4, 4}}, length), ErrorCode::kConstraint, 2);
    expect_text(scene.committed(), "1|1\n2|2");
  }
}

Test(job_slices, an_error_in_the_first_row_leaves_nothing) {
  Scene scene;
  scene.scratch.run({"INSERT INTO t(a, b) VALUES (1, 'there')"});
  expect_end(scene, scene.run(kInsert, {{1, 1}, {2, 2}}), ErrorCode::kConstraint, 0);
  expect_text(scene.committed(), "1|there");
}

Test(job_slices, a_row_that_rolls_back_in_sqlite_takes_no_other_with_it) {
  for (const std::uint64_t length : kLengths) {
    Scene scene;
    expect_end(scene, scene.run("INSERT OR ROLLBACK INTO t(a) VALUES (?)", {{1}, {2}, {1}, {4}}, length),
               ErrorCode::kConstraint, 2);
    expect_text(scene.committed("SELECT a FROM t"), "1\n2");
  }
}

Test(job_slices, or_fail_leaves_no_half_of_a_row) {
  for (const std::uint64_t length : kLengths) {
    Scene scene;
    scene.scratch.run({"INSERT INTO t(a) VALUES (7)"});
    expect_end(scene, scene.run("INSERT OR FAIL INTO t(a) VALUES (?), (?)", {{1, 2}, {3, 7}}, length),
               ErrorCode::kConstraint, 1);
    expect_text(scene.committed("SELECT a FROM t ORDER BY a"), "1\n2\n7");
  }
}

Test(job_slices, a_deferred_foreign_key_belongs_to_its_row_whatever_comes_behind) {
  for (const std::uint64_t length : kLengths) {
    Scene scene;
    scene.scratch.run(
        {"CREATE TABLE node(id INTEGER PRIMARY KEY, next REFERENCES node DEFERRABLE INITIALLY DEFERRED)"});
    // The last row would repair what the one before it breaks.
    const Job job = scene.run("INSERT INTO node VALUES (?, ?)", {{1, Null{}}, {2, 3}, {3, 1}}, length);
    expect_end(scene, job, ErrorCode::kConstraint, 1);
    cr_assert_eq(job.error->sqlite_code, SQLITE_CONSTRAINT_FOREIGNKEY);
    expect_text(scene.committed("SELECT id FROM node"), "1");
  }
}

Test(job_slices, rows_have_no_place) {
  Scene scene;
  expect_end(scene, scene.run("INSERT INTO t(a) VALUES (?) RETURNING id", {{1}, {2}}), ErrorCode::kSql, 0);
  expect_text(scene.committed(), "");
}

Test(job_slices, an_error_in_the_sql_has_no_row_until_some_are_committed) {
  Scene scene;
  const Job job = scene.run("INSERT INTO missing VALUES (?)", {{1}});
  expect_error(error_of(job), ErrorCode::kSql, "no such table");
  cr_assert_eq(job.error->row, -1);
  const auto request = execute_many_request(kInsert, {{1, 1}, {2, 2}});
  scene.lane.slices = nullptr;
  scene.lane.slice_us_max = kOneRow;
  (void)scene.lane.run_slice(request);
  scene.scratch.run({"ALTER TABLE t RENAME TO u"});
  const Job after = scene.lane.run_slice(request);
  expect_error(error_of(after), ErrorCode::kSql, "no such table");
  cr_assert_eq(after.error->row, 1);
}

Test(job_slices, the_number_of_columns_must_fit) {
  Scene scene;
  expect_error(error_of(scene.run(kInsert, {{1}})), ErrorCode::kParameter, "has 2 parameters, 1 was given");
}

Test(job_slices, a_cancel_between_rows_commits_those_that_are_done) {
  Scene scene;
  scene.lane.slice_us_max = kAllRows;
  const auto request = execute_many_request("INSERT INTO t(a) VALUES (?)", {{1}, {2}, {3}, {4}});
  struct Ends {
    CancelToken& token;
    int inserts = 0;
  } ends{request->token};
  // SQLite profiles a statement when it is through, and has looked at the token for the last time.
  sqlite3_trace_v2(
      scene.scratch.writer().handle(), SQLITE_TRACE_PROFILE,
      [](unsigned, void* context, void* statement, void*) {
        Ends& seen = *static_cast<Ends*>(context);
        const bool inserts = std::string_view(sqlite3_sql(static_cast<sqlite3_stmt*>(statement))).starts_with("INSERT");
        if (inserts && ++seen.inserts == 2) seen.token.cancel(CancelReason::kDeadline);
        return 0;
      },
      &ends);
  expect_end(scene, scene.run(request), ErrorCode::kDeadline, 2);
  sqlite3_trace_v2(scene.scratch.writer().handle(), 0, nullptr, nullptr);
  expect_text(scene.committed("SELECT a FROM t"), "1\n2");
}

Test(job_slices, a_row_that_is_stopped_is_undone_and_those_before_it_are_kept) {
  for (const std::uint64_t length : kLengths) {
    Scene scene;
    // The third row goes on until the token says stop, which it does itself.
    const auto request = execute_many_request(
        "INSERT INTO t(a) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
        "stop_after(?1)) "
        "SELECT ?1 * 1000000000 + max(i) FROM n",
        {{1}, {2}, {3}, {4}});
    sqlite3_create_function(
        scene.scratch.writer().handle(), "stop_after", 1, SQLITE_UTF8 | SQLITE_INNOCUOUS, &request->token,
        [](sqlite3_context* context, int, sqlite3_value** values) {
          const bool endless = sqlite3_value_int(values[0]) == 3;
          if (endless) static_cast<CancelToken*>(sqlite3_user_data(context))->cancel(CancelReason::kClient);
          sqlite3_result_int64(context, endless ? 1'000'000'000 : 2);
        },
        nullptr, nullptr);
    expect_end(scene, scene.run(request, length), ErrorCode::kCancelled, 2);
    expect_text(scene.committed("SELECT a FROM t"), "1000000002\n2000000002");
  }
}

Test(job_slices, one_that_is_stopped_before_its_slice_has_done_nothing_more) {
  Scene scene;
  scene.lane.slice_us_max = kOneRow;
  const auto request = execute_many_request(kInsert, {{1, 1}, {2, 2}, {3, 3}});
  (void)scene.lane.run_slice(request);
  request->token.cancel(CancelReason::kShutdown);
  const Job job = scene.lane.run_slice(request);
  expect_error(error_of(job), ErrorCode::kUnavailable, "shutting down");
  cr_assert_eq(scene.lane.slices->rows_done, 1u);
  expect_text(scene.committed(), "1|1");
}

Test(job_slices, a_failed_sync_ends_it_and_is_not_tried_again) {
  FaultyDisk disk;
  Scene scene;
  scene.lane.slice_us_max = kOneRow;
  const auto request = execute_many_request(kInsert, {{1, 1}, {2, 2}, {3, 3}});
  (void)scene.lane.run_slice(request);
  const int syncs = disk.syncs;
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  const Job job = scene.lane.run_slice(request);
  cr_assert_eq(error_of(job).sqlite_code, SQLITE_IOERR_FSYNC);
  cr_assert_eq(job.error->row, 1);
  cr_assert_eq(scene.lane.slices->rows_done, 1u);
  cr_assert_eq(disk.syncs, syncs);
}

Test(job_slices, a_full_disk_undoes_the_slice) {
  FaultyDisk disk;
  Scene scene;
  scene.lane.slice_us_max = kOneRow;
  const auto request = execute_many_request(kInsert, {{1, 1}, {2, 2}, {3, 3}});
  (void)scene.lane.run_slice(request);
  scene.lane.slice_us_max = kAllRows;
  disk.write.set(SQLITE_FULL, 1);
  const Job job = scene.lane.run_slice(request);
  expect_error(error_of(job), ErrorCode::kDiskFull);
  cr_assert_eq(job.error->row, 1);
  expect_text(scene.committed(), "1|1");
}

Test(job_slices, relaxed_slices_are_not_synced) {
  FaultyDisk disk;
  Scene scene;
  scene.lane.relaxed = true;
  const int before = disk.syncs;
  (void)answer_of(scene.run(kInsert, {{1, 1}, {2, 2}, {3, 3}}, kOneRow));
  cr_assert_eq(disk.syncs, before);
  scene.lane.relaxed = false;
  (void)answer_of(scene.run(kInsert, {{4, 4}, {5, 5}, {6, 6}}, kOneRow));
  cr_assert_geq(disk.syncs, before + 3);
}
