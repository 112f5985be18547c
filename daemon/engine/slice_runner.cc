#include "daemon/engine/slice_runner.h"

#include <limits>

#include "daemon/base/clock.h"
#include "daemon/engine/parameter_binding.h"
#include "protocol/codec.h"
#include "protocol/short_frames.h"

namespace skua {

namespace {

constexpr std::uint64_t kNeverUs = std::numeric_limits<std::uint64_t>::max();

bool is_of_the_disk(const Error& error) {
  return error.code == ErrorCode::kIo || error.code == ErrorCode::kDiskFull ||
         error.code == ErrorCode::kCorrupt;
}

}  // namespace

Status SliceRunner::run() {
  slices_.more = false;
  SKUA_TRY(open());
  std::size_t next = slices_.rows_done;
  Summary summary;
  // A malformed message shows while it is read, when rows before it are done.
  Status status = guarded(
      [&] { return run_rows(slices_.rows.row_count(), monotonic_us() + slices_.slice_us_max, next, summary); });
  if (status) {
    status = commit(next, summary);
  } else {
    connection_.rollback();
    if (next > slices_.rows_done && !is_of_the_disk(status.error())) {
      if (Status again = run_again(next); !again) status = std::move(again);
    }
  }
  slices_.more = status && slices_.rows_done < slices_.rows.row_count();
  if (slices_.more && is_stopped()) status = make_error(ErrorCode::kCancelled, "the request was cancelled");
  if (!status) {
    slices_.more = false;
    Error error = std::move(status).error();
    error.row = static_cast<std::int64_t>(slices_.rows_done);
    return error;
  }
  if (!slices_.more) answer();
  return {};
}

Status SliceRunner::open() {
  if (slices_.is_open) return {};
  const wire::ExecuteMany::Reader many = job_.request->message->root().getExecuteMany();
  SKUA_ASSIGN(slices_.rows, RowBatchReader::open(many.getRows()));
  SKUA_ASSIGN(const StatementCache::Lease statement, connection_.lease(job_.request->sql));
  SKUA_ASSIGN(slices_.parameters, match_columns(*statement, many.getNames(), slices_.rows.column_count()));
  slices_.is_open = true;
  return {};
}

Status SliceRunner::run_rows(std::size_t end, std::uint64_t until_us, std::size_t& next, Summary& summary) {
  SKUA_ASSIGN(StatementCache::Lease statement, connection_.lease(job_.request->sql));
  RowRunner runner(connection_, std::move(statement), slices_.rows, slices_.parameters);
  SKUA_TRY(connection_.begin(false, job_.relaxed));
  while (next < end) {
    SKUA_TRY(run_row(runner, next, summary));
    ++next;
    if (until_us != kNeverUs && (monotonic_us() >= until_us || is_stopped())) break;
  }
  return {};
}

Status SliceRunner::run_row(RowRunner& runner, std::size_t row, Summary& summary) {
  SKUA_TRY(runner.run(row, summary));
  if (!connection_.has_deferred_violations()) return {};
  // By itself it would fail when it commits, whatever the rows behind it do.
  // sqlite.org/foreignkeys.html#fk_deferred
  Error error = make_error(ErrorCode::kConstraint, "FOREIGN KEY constraint failed");
  error.sqlite_code = SQLITE_CONSTRAINT_FOREIGNKEY;
  return error;
}

Status SliceRunner::commit(std::size_t next, const Summary& summary) {
  if (Status status = connection_.run_internal("COMMIT"); !status) {
    connection_.rollback();
    return status;
  }
  slices_.rows_done = next;
  slices_.summary.changes += summary.changes;
  if (summary.last_insert_rowid != 0) slices_.summary.last_insert_rowid = summary.last_insert_rowid;
  return {};
}

Status SliceRunner::run_again(std::size_t failed) {
  // The request may have been stopped in that row.
  const Connection::Watch unwatched(connection_, nullptr);
  std::size_t next = slices_.rows_done;
  Summary summary;
  if (Status status = run_rows(failed, kNeverUs, next, summary); !status) {
    connection_.rollback();
    return status;
  }
  return commit(failed, summary);
}

void SliceRunner::answer() {
  Summary summary = slices_.summary;
  summary.server_us = monotonic_us() - job_.request->arrival_us;
  job_.frames.push_back(done_response(job_.request->id, summary));
  job_.ended = true;
}

}  // namespace skua
