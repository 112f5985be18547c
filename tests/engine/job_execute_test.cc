// JobRunner: execute and describe, outside of transactions.
#include <criterion/criterion.h>

#include <filesystem>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::string_view kManyRows =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT i, printf('row %d', i) FROM n";

std::string list_of(std::size_t count) {
  std::string list = "1";
  for (std::size_t i = 2; i <= count; ++i) list += fmt::format(", {}", i);
  return list;
}

}  // namespace

Test(job_execute, a_short_read_ends_with_its_first_frame) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO t VALUES (1, 'one'), (2, NULL)"});
  const Job job = Lane(scratch.reader()).execute("SELECT id, name, id * 0.5 FROM t ORDER BY id");
  cr_assert_eq(job.frames.size(), 1u);
  cr_assert(job.ended && !job.cursor_open && !job.needs_writer && !job.transaction_open);
  const Answer answer = answer_of(job);
  expect_text(to_text(answer.rows), "1|one|0.5\n2|NULL|1.0");
  const std::vector<ColumnInfo> columns = {{"id", "INTEGER"}, {"name", "TEXT"}, {"id * 0.5", ""}};
  cr_assert(answer.columns == columns);
  cr_assert_eq(answer.done->row_count, 2u);
  cr_assert_eq(answer.done->changes, 0u);
  cr_assert_eq(answer.done->transaction, TransactionState::kNone);
}

Test(job_execute, a_result_without_rows_still_has_its_columns) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a INT, b)"});
  const Answer answer = answer_of(Lane(scratch.reader()).execute("SELECT * FROM t"));
  cr_assert(answer.rows.empty());
  cr_assert_eq(answer.columns.size(), 2u);
  expect_text(answer.columns[0].declared_type, "INT");
}

Test(job_execute, a_long_read_goes_on_batch_by_batch_until_its_end) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  const auto request = execute_request(kManyRows, {20'000});
  Job job = lane.run(request);
  Answer answer;
  add_answer(job, answer);
  cr_assert(job.cursor_open && !job.ended);
  // The first batch is small, so that it comes at once.
  cr_assert_leq(job.frames[0].byte_count(), 2 * kFirstBatchBytes);
  int batches = 1;
  while (job.cursor_open) {
    job = lane.run(JobKind::kContinue, request);
    cr_assert_eq(job.frames.size(), 1u);
    cr_assert_leq(job.frames[0].byte_count(), 2 * kBatchBytes);
    add_answer(job, answer);
    ++batches;
  }
  cr_assert_gt(batches, 3);
  cr_assert(job.ended);
  cr_assert_eq(answer.rows.size(), 20'000u);
  cr_assert_eq(answer.done->row_count, 20'000u);
  expect_text(to_text({answer.rows.front(), answer.rows.back()}), "1|row 1\n20000|row 20000");
  cr_assert_eq(answer.columns.size(), 2u);
}

Test(job_execute, a_stream_goes_on_for_as_long_as_its_client_wants_more) {
  ScratchDatabase scratch;
  CompletionQueue completions;
  Lane lane(scratch.reader());
  lane.completions = &completions;
  const auto request = execute_request(kManyRows, {100'000});
  Job job = lane.run(request);
  Answer answer;
  add_answer(job, answer);
  std::size_t bytes = job.frames[0].byte_count();
  request->wanted_bytes = 300'000;
  job = lane.run(JobKind::kContinue, request);
  const auto interims = completions.take();
  cr_assert_geq(interims.size(), 3u);
  for (const std::unique_ptr<Job>& interim : interims) {
    cr_assert(interim->is_interim && !interim->ended && interim->error == nullptr && interim->frames.size() == 1);
    cr_assert(interim->request == request);
    bytes += interim->frames[0].byte_count();
    add_answer(*interim, answer);
  }
  cr_assert_lt(bytes, 300'000u, "it went on when it had made all that was wanted");
  cr_assert(job.cursor_open && !job.ended && !job.is_interim && job.frames.size() == 1);
  cr_assert_geq(bytes + job.frames[0].byte_count(), 300'000u, "it stopped too early");
  add_answer(job, answer);
  // To the end in one go.
  request->wanted_bytes = 1 << 30;
  job = lane.run(JobKind::kContinue, request);
  for (const std::unique_ptr<Job>& interim : completions.take()) add_answer(*interim, answer);
  add_answer(job, answer);
  cr_assert(job.ended && !job.cursor_open);
  cr_assert_eq(answer.rows.size(), 100'000u);
  expect_text(to_text({answer.rows.front(), answer.rows.back()}), "1|row 1\n100000|row 100000");
}

Test(job_execute, a_stream_that_is_cancelled_does_not_go_on) {
  ScratchDatabase scratch;
  CompletionQueue completions;
  Lane lane(scratch.reader());
  lane.completions = &completions;
  const auto request = execute_request(kManyRows, {100'000});
  cr_assert(lane.run(request).cursor_open);
  request->wanted_bytes = 1 << 30;
  request->token.cancel(CancelReason::kClient);
  const Job job = lane.run(JobKind::kContinue, request);
  expect_error(error_of(job), ErrorCode::kCancelled);
  cr_assert(completions.take().empty());
  cr_assert(scratch.reader().find_cursor(request->serial) == nullptr);
}

Test(job_execute, a_cursor_that_is_closed_leaves_nothing_behind) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.reader());
  const auto request = execute_request(kManyRows, {20'000});
  cr_assert(lane.run(request).cursor_open);
  cr_assert(scratch.reader().find_cursor(request->serial) != nullptr);
  const Job job = lane.run(JobKind::kClose, request);
  cr_assert(!job.cursor_open && job.frames.empty() && job.error == nullptr);
  cr_assert(scratch.reader().find_cursor(request->serial) == nullptr);
  expect_text(text_of(lane.execute("SELECT 1")), "1");
}

Test(job_execute, a_cursor_that_fails_in_the_middle_is_closed) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  // Fails at a row that is far behind the first batch.
  const auto failing = execute_request(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
      "SELECT i, iif(i = 5000, json('{'), 'a text to fill the batch') FROM n");
  Job job = lane.run(failing);
  while (job.cursor_open) job = lane.run(JobKind::kContinue, failing);
  expect_error(error_of(job), ErrorCode::kSql, "malformed JSON");
  cr_assert(scratch.reader().find_cursor(failing->serial) == nullptr);
}

Test(job_execute, a_write_on_a_reader_does_nothing_and_asks_for_the_writer) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  for (const std::string_view sql :
       {"INSERT INTO t VALUES (1) RETURNING a", "PRAGMA user_version = 1", "CREATE TABLE x(a)", "VACUUM"}) {
    const Job job = Lane(scratch.reader()).execute(sql);
    cr_assert(job.needs_writer);
    cr_assert(job.frames.empty() && !job.ended && !job.cursor_open && job.error == nullptr);
  }
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "0");
}

Test(job_execute, an_explanation_of_a_write_is_a_read) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)", "INSERT INTO t VALUES (1)"});
  for (const std::string_view sql : {"EXPLAIN DELETE FROM t", "EXPLAIN QUERY PLAN DELETE FROM t"}) {
    const Job job = Lane(scratch.reader()).execute(sql);
    cr_assert(!job.needs_writer);
    (void)answer_of(job);
  }
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "1");
}

Test(job_execute, a_write_tells_what_it_changed) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a)"});
  Lane lane(scratch.writer());
  const Summary inserted = *answer_of(lane.execute("INSERT INTO t(a) VALUES (?), (?)", {1, 2})).done;
  cr_assert_eq(inserted.changes, 2u);
  cr_assert_eq(inserted.last_insert_rowid, 2);
  const Summary updated = *answer_of(lane.execute("UPDATE t SET a = 5 WHERE id = 1")).done;
  cr_assert_eq(updated.changes, 1u);
  const Summary none = *answer_of(lane.execute("DELETE FROM t WHERE id = 99")).done;
  cr_assert_eq(none.changes, 0u);
  // A read after a write changed nothing.
  const Summary read = *answer_of(lane.execute("SELECT 1")).done;
  cr_assert_eq(read.changes, 0u);
  cr_assert_eq(read.last_insert_rowid, 0);
  expect_text(text_of(scratch.reader(), "SELECT * FROM t"), "1|5\n2|2");
}

Test(job_execute, a_statement_that_inserts_nothing_tells_no_rowid) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a)"});
  Lane lane(scratch.writer());
  cr_assert_eq(answer_of(lane.execute("INSERT INTO t VALUES (41, 1)")).done->last_insert_rowid, 41);
  for (const std::string_view sql : {"UPDATE t SET a = 2", "DELETE FROM t", "CREATE TABLE x(a)", "INSERT INTO t SELECT 1, 2 WHERE 0",
        "WITH x(b) AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT b FROM x)"}) {
    const Summary summary = *answer_of(lane.execute(sql)).done;
    cr_expect_eq(summary.last_insert_rowid, 0, "%s", sql.data());
  }
}

Test(job_execute, a_statement_that_cannot_change_rows_tells_no_changes) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  cr_assert_eq(answer_of(lane.execute("INSERT INTO t VALUES (1), (2)")).done->changes, 2u);
  for (const std::string_view sql : {"CREATE TABLE x(a)", "PRAGMA user_version = 4", "DROP TABLE x", "VACUUM"}) {
    cr_expect_eq(answer_of(lane.execute(sql)).done->changes, 0u, "%s", sql.data());
  }
}

Test(job_execute, rows_of_a_write_are_held_until_it_is_committed) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  const Job held = lane.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                                "INSERT INTO t SELECT i FROM n RETURNING a * 10");
  cr_assert(held.ended && !held.cursor_open);
  cr_assert_gt(held.frames.size(), 1u);
  const Answer answer = answer_of(held);
  cr_assert_eq(answer.rows.size(), 20'000u);
  cr_assert_eq(answer.done->changes, 20'000u);
  expect_text(to_text(answer.rows.back()[0]), "200000");
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "20000");
}

Test(job_execute, held_rows_are_limited) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  constexpr std::string_view kInsert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                                       "INSERT INTO t SELECT i FROM n RETURNING a";
  Lane lane(scratch.writer());
  const Job whole = lane.execute(kInsert);
  cr_assert_gt(whole.frames.size(), 1u);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i + 1 < whole.frames.size(); ++i) bytes += whole.frames[i].byte_count();
  // The last frame is only there once everything is committed, and may pass the limit.
  lane.held_bytes_max = bytes;
  (void)answer_of(lane.execute(kInsert));
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "40000");
  lane.held_bytes_max = bytes - 1;
  expect_error(error_of(lane.execute(kInsert)), ErrorCode::kLimit, "held_result_bytes_max");
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "40000");
}

Test(job_execute, a_failed_write_changes_nothing_and_leaves_no_transaction) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a UNIQUE)", "INSERT INTO t VALUES (2)"});
  Lane lane(scratch.writer());
  const Job job = lane.execute("INSERT INTO t VALUES (1), (2) RETURNING a");
  expect_error(error_of(job), ErrorCode::kConstraint, "UNIQUE");
  cr_assert(!job.transaction_open);
  expect_text(text_of(scratch.reader(), "SELECT a FROM t"), "2");
}

Test(job_execute, parameters_must_fit_the_statement) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  const auto refused = [&](std::string_view sql, const std::vector<Value>& values, const std::vector<std::string>& names,
                           std::string_view words) {
    expect_error(error_of(lane.execute(sql, values, names)), ErrorCode::kParameter, words);
  };
  refused("SELECT ?, ?", {1}, {}, "the statement has 2 parameters, 1 was given");
  refused("SELECT ?", {1, 2}, {}, "the statement has 1 parameter, 2 were given");
  refused("SELECT 1", {1}, {}, "the statement has 0 parameters");
  refused("SELECT :a, :b", {1}, {"a"}, "parameter :b was not given");
  refused("SELECT :a", {1, 2}, {"a", "b"}, "no parameter 'b'");
  refused("SELECT :a", {1, 2}, {"a", ":a"}, "parameter :a is given twice");
  refused("SELECT :a, ?", {1}, {"a"}, "parameter 2 has no name");
  refused("SELECT :a, :b", {1, 2}, {"a", ""}, "name all or none");
  expect_text(text_of(lane.execute("SELECT :a, @b, $c", {1, 2, 3}, {"$c", "a", "@b"})), "2|3|1");
  expect_text(text_of(lane.execute("SELECT :a, :a", {1}, {"a"})), "1|1");
  expect_text(text_of(lane.execute("SELECT ?2, ?3", {1, 2, 3})), "2|3");
}

Test(job_execute, as_many_columns_as_allowed_arrive) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  const Answer answer = answer_of(lane.execute("SELECT " + list_of(kColumnsMax)));
  cr_assert_eq(answer.columns.size(), kColumnsMax);
  cr_assert_eq(answer.rows.size(), 1u);
  cr_assert(answer.rows[0].back() == Value(static_cast<std::int64_t>(kColumnsMax)));
  expect_error(error_of(lane.execute("SELECT " + list_of(kColumnsMax + 1))), ErrorCode::kSql, "too many columns");
}

Test(job_execute, a_row_larger_than_a_response_is_refused_and_the_connection_lives_on) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  expect_error(error_of(lane.execute("SELECT zeroblob(?1), zeroblob(?1)", {60 * 1024 * 1024})), ErrorCode::kLimit,
               "row_bytes_max");
  expect_text(text_of(lane.execute("SELECT 1")), "1");
}

Test(job_execute, vacuum_runs_and_vacuum_into_does_not) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)", "INSERT INTO t VALUES (1)"});
  Lane lane(scratch.writer());
  for (const std::string_view sql : {"VACUUM", "vacuum main;", "/* c */ VACUUM -- c"}) (void)answer_of(lane.execute(sql));
  const std::string copy = scratch.file() + ".copy";
  for (const std::string& sql :
       {fmt::format("VACUUM INTO '{}'", copy), fmt::format("VACUUM main INTO '{}'", copy),
        fmt::format("\xEF\xBB\xBFVACUUM/**/INTO '{}'", copy), fmt::format("; vacuum into '{}'", copy)}) {
    expect_error(error_of(lane.execute(sql)), ErrorCode::kAccess, "VACUUM INTO");
  }
  expect_error(error_of(lane.execute("VACUUM INTO ?1", {copy})), ErrorCode::kAccess, "VACUUM INTO");
  cr_assert(!std::filesystem::exists(copy));
  expect_text(text_of(scratch.reader(), "SELECT a FROM t"), "1");
}

Test(job_execute, a_refusal_while_a_statement_runs_gives_its_reason) {
  ScratchDatabase scratch;
  expect_error(error_of(Lane(scratch.reader()).execute("SELECT * FROM pragma_secure_delete")), ErrorCode::kAccess,
               "PRAGMA secure_delete is not available");
}

Test(job_describe, tells_columns_parameters_and_whether_it_reads) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(id INTEGER, name TEXT)"});
  Lane lane(scratch.reader());
  const Job job = lane.run(describe_request("SELECT id, name AS n FROM t WHERE id > :low AND id < ?7 OR id = ?"));
  cr_assert(job.ended && job.frames.size() == 1 && job.error == nullptr);
  MessageView view(job.frames[0].view());
  const auto description = view.root<wire::Response>().getDescription();
  const std::vector<ColumnInfo> columns = {{"id", "INTEGER"}, {"n", "TEXT"}};
  cr_assert(read_columns(description.getColumns()) == columns);
  std::vector<std::string> names;
  for (const auto name : description.getParameters()) names.emplace_back(view_of(name));
  const std::vector<std::string> expected = {":low", "", "", "", "", "", "?7", ""};
  cr_assert(names == expected);
  cr_assert(description.getReadOnly());
}

Test(job_describe, changes_nothing_and_sees_the_present_schema) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.reader());
  const auto described = [&](std::string_view sql) {
    const Job job = lane.run(describe_request(sql));
    cr_assert(job.error == nullptr);
    MessageView view(job.frames.at(0).view());
    const auto description = view.root<wire::Response>().getDescription();
    return std::make_pair(description.getColumns().size(), description.getReadOnly());
  };
  cr_assert(described("SELECT * FROM t") == std::make_pair(1u, true));
  (void)answer_of(lane.execute("SELECT * FROM t"));
  scratch.run({"ALTER TABLE t ADD COLUMN b"});
  cr_assert(described("SELECT * FROM t") == std::make_pair(2u, true));
  cr_assert(described("INSERT INTO t VALUES (1, 2)") == std::make_pair(0u, false));
  cr_assert(described("INSERT INTO t VALUES (1, 2) RETURNING a") == std::make_pair(1u, false));
  cr_assert(described("EXPLAIN QUERY PLAN DELETE FROM t").second);
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "0");
}

Test(job_describe, refuses_what_execute_refuses) {
  ScratchDatabase scratch;
  Lane lane(scratch.reader());
  expect_error(error_of(lane.run(describe_request("SELECT missing"))), ErrorCode::kSql, "no such column");
  expect_error(error_of(lane.run(describe_request("SELECT 1; SELECT 2"))), ErrorCode::kSql, "one statement");
  expect_error(error_of(lane.run(describe_request("BEGIN"))), ErrorCode::kAccess, "transaction control");
  expect_error(error_of(lane.run(describe_request("\xEF\xBB\xBF" "COMMIT"))), ErrorCode::kAccess, "transaction control");
  expect_error(error_of(lane.run(describe_request("ATTACH 'x' AS x"))), ErrorCode::kAccess, "ATTACH");
}

Test(job_execute, columns_that_the_client_knows_are_left_out) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a INT)", "INSERT INTO t VALUES (7)"});
  Lane lane(scratch.reader());
  const Job first = lane.execute("SELECT a FROM t");
  MessageView first_view(first.frames[0].view());
  const std::uint64_t id = first_view.root<wire::Response>().getRows().getColumnsId();
  const auto run_knowing = [&](std::uint64_t known) {
    auto request = execute_request("SELECT a FROM t");
    request->known_columns = known;
    Job job = lane.run(request);
    return std::move(job.frames[0]);
  };
  {
    const Frame frame = run_knowing(id);
    MessageView view(frame.view());
    const auto rows = view.root<wire::Response>().getRows();
    cr_assert(!rows.hasColumns() && rows.getColumnsId() == id);
    cr_assert_eq(rows.getBatch().getColumns()[0].getIntegers()[0], 7);
  }
  {
    const Frame frame = run_knowing(id + 1);
    MessageView view(frame.view());
    cr_assert(view.root<wire::Response>().getRows().hasColumns());
  }
  scratch.run({"ALTER TABLE t RENAME COLUMN a TO b"});
  auto request = execute_request("SELECT * FROM t");
  request->known_columns = id;
  const Job renamed = lane.run(request);
  expect_text(answer_of(renamed).columns[0].name, "b");
}
