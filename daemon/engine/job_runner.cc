#include "daemon/engine/job_runner.h"

#include <fmt/format.h>

#include "daemon/base/clock.h"
#include "daemon/core/delivery.h"
#include "daemon/core/inline_reads.h"
#include "daemon/engine/parameter_binding.h"
#include "daemon/engine/program_runner.h"
#include "daemon/engine/reply_store.h"
#include "daemon/engine/row_runner.h"
#include "daemon/engine/slice_runner.h"
#include "daemon/engine/slow_run.h"
#include "daemon/engine/stream_file.h"
#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/short_frames.h"
#include "protocol/sql_lexer.h"

namespace skua {

namespace {

// VACUUM runs transaction control inside of SQLite; VACUUM INTO would write a file with the daemon's rights.
Result<bool> is_vacuum(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken token = lexer.next();
  while (token.kind == SqlToken::Kind::kSemicolon) token = lexer.next();
  if (!token.is_word("VACUUM")) return false;
  for (token = lexer.next(); token.kind != SqlToken::Kind::kEnd; token = lexer.next()) {
    if (token.is_word("INTO")) {
      return make_error(ErrorCode::kAccess, "VACUUM INTO is not available: it would write a file as the daemon's user");
    }
  }
  return true;
}

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c;
    if (c == '"') quoted += '"';
  }
  return quoted + "\"";
}

// While alive, what the writer does is for the job, up to a commit. Readers' lanes look at their own clock.
class WriterTime {
 public:
  WriterTime(const Connection& connection, Job& job)
      : connection_(connection), job_(job), begin_us_(is_timed() ? monotonic_us() : 0) {}
  ~WriterTime() {
    if (!is_timed()) return;
    const std::uint64_t commit_us = connection_.commit_began_us();
    job_.lane_us += (commit_us >= begin_us_ ? commit_us : monotonic_us()) - begin_us_;
  }
  WriterTime(const WriterTime&) = delete;
  WriterTime& operator=(const WriterTime&) = delete;

 private:
  bool is_timed() const { return connection_.role() == ConnectionRole::kWriter; }

  const Connection& connection_;
  Job& job_;
  const std::uint64_t begin_us_;
};

Error stopped(const CancelToken& token, Error error) {
  switch (token.reason()) {
    case CancelReason::kDeadline:
      error.code = ErrorCode::kDeadline;
      error.message = "the request's deadline passed while it ran";
      break;
    case CancelReason::kLimit:
      error.code = ErrorCode::kLimit;
      error.message = "the transaction passed transaction_total_ms_max while the statement ran";
      break;
    case CancelReason::kWalBudget:
    case CancelReason::kShutdown: {
      const Error reason = stopped_error(token.reason());
      error.code = reason.code;
      error.message = reason.message;
      break;
    }
    case CancelReason::kAborted:
      error.code = ErrorCode::kTransactionAborted;
      error.message = "another request made its transaction roll back";
      break;
    default:
      error.code = ErrorCode::kCancelled;
      error.message = "the request was cancelled";
  }
  return error;
}

}  // namespace

void JobRunner::run() {
  const WriterTime time(connection_, job_);
  if (job_.kind == JobKind::kRequest && job_.request->has_key) return run_keyed();
  if (!run_watched()) finish_failed();
  job_.transaction_open = connection_.in_transaction();
  // Whoever rolled it back, its cursors are no more.
  if (job_.is_inside_transaction() && !job_.transaction_open) connection_.close_all_cursors();
}

void JobRunner::run_keyed() {
  Status status = connection_.begin(false, job_.relaxed);
  if (status && run_in_group() && job_.error == nullptr) status = connection_.run_internal("COMMIT");
  if (!status) {
    job_.forget_outcome();
    job_.error = std::make_unique<Error>(std::move(status).error());
  }
  connection_.rollback();
}

Status JobRunner::run_once() {
  ReplyStore store(connection_);
  SKUA_ASSIGN(std::optional<Frame> kept, store.find(*job_.request));
  if (kept) {
    job_.frames.push_back(std::move(*kept));
    job_.ended = true;
    return {};
  }
  SKUA_TRY(run_kind());
  unkept_ = true;
  SKUA_TRY(store.keep(*job_.request, job_.frames));
  unkept_ = false;
  return {};
}

bool JobRunner::run_in_group() {
  const WriterTime time(connection_, job_);
  in_group_ = true;
  Status status = run_watched();
  if (status && connection_.in_transaction() && connection_.has_deferred_violations()) {
    // By itself it would fail when it commits. sqlite.org/foreignkeys.html#fk_deferred
    Error error = make_error(ErrorCode::kConstraint, "FOREIGN KEY constraint failed");
    error.sqlite_code = SQLITE_CONSTRAINT_FOREIGNKEY;
    job_.forget_outcome();
    job_.error = std::make_unique<Error>(std::move(error));
    return false;
  }
  if (status) return connection_.in_transaction();
  const std::unique_ptr<Error> error = std::move(job_.error);
  job_.forget_outcome();
  job_.error = std::make_unique<Error>(*error);
  return connection_.in_transaction() && undoes_itself(*job_.error);
}

Status JobRunner::run_watched() {
  if (job_.pinned) {
    if (const Status allowed = connection_.allow_temporary(); !allowed) {
      job_.error = std::make_unique<Error>(allowed.error());
      return allowed;
    }
  }
  const bool goes_on = job_.kind == JobKind::kContinue || job_.kind == JobKind::kSpool;
  const bool stoppable = job_.kind == JobKind::kRequest || goes_on;
  const CancelToken* token = job_.request != nullptr && stoppable ? &job_.request->token : nullptr;
  Status status;
  {
    const Connection::Watch watch(connection_, token);
    if (token != nullptr && token->is_cancelled()) {
      status = make_error(ErrorCode::kCancelled, "the request was cancelled");
      if (goes_on) connection_.close_cursor(job_.request->serial);
    } else {
      const bool once = in_group_ && job_.request->has_key;
      status = guarded([this, once] { return once ? run_once() : run_kind(); });
    }
  }
  if (!status) {
    Error error = connection_.explain(status.error());
    const bool interrupted = error.code == ErrorCode::kCancelled;
    if (token != nullptr && interrupted && token->is_cancelled()) error = stopped(*token, std::move(error));
    job_.error = std::make_unique<Error>(std::move(error));
  }
  return status;
}

bool JobRunner::undoes_itself(const Error& error) const {
  if (unkept_) return false;
  // executeMany and programs have a savepoint of their own.
  const bool has_savepoint = job_.request->kind != wire::Request::EXECUTE;
  switch (error.sqlite_code & 0xff) {
    case SQLITE_OK: return has_savepoint || !writes_;  // an error of ours: a limit passed while the statement ran
    // Of a single statement SQLite undoes what it would undo alone, which for OR FAIL is nothing.
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_AUTH:
    case SQLITE_RANGE:
    case SQLITE_SCHEMA:
    case SQLITE_READONLY: return true;
    default: return false;
  }
}

void JobRunner::finish_failed() {
  job_.frames.clear();
  job_.ended = false;
  job_.cursor_open = false;
  // What failed here undid itself; the session's other cursors on its own connection go on.
  if (job_.pinned && !connection_.in_transaction()) return;
  if (!job_.is_inside_transaction() || job_.rollback_on_error) return connection_.rollback();
  // SQLite keeps a transaction after some failures of the disk (sqlite.org/lang_transaction.html); what is left in it
  // is not certain, so it goes.
  const bool disk = job_.error->code == ErrorCode::kIo || job_.error->code == ErrorCode::kDiskFull ||
                    job_.error->code == ErrorCode::kCorrupt;
  // A write that is stopped takes its transaction with it, in SQLite too (sqlite.org/c3ref/interrupt.html), unless it was
  // stopped when it was just done; it goes then as well, for it is reported as not done.
  const bool stopped_write = writes_ && (job_.error->sqlite_code & 0xff) == SQLITE_INTERRUPT;
  if (disk || stopped_write) connection_.rollback();
}

Status JobRunner::run_kind() {
  switch (job_.kind) {
    case JobKind::kRequest: return run_request();
    case JobKind::kContinue: return continue_cursor();
    case JobKind::kSpool: return spool();
    case JobKind::kClose: connection_.close_cursor(job_.request->serial); return {};
    case JobKind::kBegin: return connection_.begin(job_.read_only, job_.relaxed);
    case JobKind::kCommit: connection_.close_all_cursors(); return connection_.run_internal("COMMIT");
    case JobKind::kRollback: connection_.rollback(); return {};
    case JobKind::kSavepoint: return savepoint();
    case JobKind::kCheckpoint:
    case JobKind::kBackupCopy:
    case JobKind::kBackupEnd:
    case JobKind::kBackupRead:
    case JobKind::kSpoolRead:
    case JobKind::kSpoolDrop:
    case JobKind::kDiscard: return {};  // done by whoever has the connections
  }
  return make_error(ErrorCode::kInternal, "unknown kind of job");
}

Status JobRunner::continue_cursor() {
  Cursor* cursor = connection_.find_cursor(job_.request->serial);
  SKUA_CHECK(cursor != nullptr);
  while (true) {
    if (pace_ != nullptr) pace_->begin_batch();
    bool more = false;
    auto frame = cursor->next_frame(kBatchBytes, job_.is_inside_transaction(), more);
    if (!frame || !more) connection_.close_cursor(job_.request->serial);
    if (!frame) return std::move(frame).error();
    job_.frames.push_back(std::move(*frame));
    job_.cursor_open = more;
    job_.ended = !more;
    if (!more || !may_go_on(*cursor)) return {};
    send_interim();
    // Its session is not charged for that.
    if (pace_ != nullptr && pace_->rest()) job_.lane_begin_us = monotonic_us();
  }
}

bool JobRunner::may_go_on(const Cursor& cursor) const {
  return completions_ != nullptr && !job_.request->token.is_cancelled() &&
         cursor.made_bytes() < job_.request->wanted_bytes.load(std::memory_order_relaxed);
}

void JobRunner::send_interim() {
  auto interim = std::make_unique<Job>();
  interim->is_interim = true;
  interim->database = job_.database;
  interim->slot = job_.slot;
  interim->request = job_.request;
  const std::uint64_t now_us = monotonic_us();
  interim->lane_us = now_us - std::exchange(job_.lane_begin_us, now_us);
  interim->frames = std::exchange(job_.frames, {});
  completions_->push(std::move(interim));
}

Status JobRunner::run_request() {
  switch (job_.request->kind) {
    case wire::Request::EXECUTE: return execute();
    case wire::Request::EXECUTE_MANY: return execute_many();
    case wire::Request::PROGRAM: return program();
    case wire::Request::DESCRIBE: return describe();
    default: return make_error(ErrorCode::kInternal, "a request that needs no connection was given one");
  }
}

Status JobRunner::execute() {
  const std::string_view sql = job_.request->sql;
  SKUA_ASSIGN(StatementCache::Lease statement, connection_.lease(sql));
  if (connection_.role() == ConnectionRole::kReader && !statement->is_read_only() && !statement->is_explain()) {
    if (job_.is_inside_transaction()) return make_error(ErrorCode::kReadOnly, "the transaction is read-only");
    job_.needs_writer = !job_.pinned;
    if (job_.needs_writer) return {};
  }
  SKUA_TRY(bind_parameters(*statement, job_.request->parameters));
  writes_ = !statement->is_read_only();
  if (in_group_) {
    Cursor cursor(job_.request, std::move(statement));
    return run_to_end(cursor);
  }
  const bool returns_rows = statement->column_count() > 0;
  auto cursor = std::make_unique<Cursor>(job_.request, std::move(statement), connection_.frames(), connection_.take_batch());
  if (job_.pinned && writes_) return write_temporary(std::move(cursor));
  if (!is_autocommit_write()) return advance(std::move(cursor), job_.first_batch_bytes);
  if (writes_ && returns_rows) {
    // By itself it would be committed by being stopped half way, as it is when its rows pass a limit.
    SKUA_TRY(connection_.begin(false, job_.relaxed));
    SKUA_TRY(run_to_end(*cursor));
    return connection_.run_internal("COMMIT");
  }
  SKUA_TRY(connection_.set_relaxed(job_.relaxed));
  SKUA_ASSIGN(const bool vacuum, is_vacuum(sql));
  if (!vacuum) return run_to_end(*cursor);
  const auto internal = connection_.allow_internal();
  return run_to_end(*cursor);
}

Status JobRunner::write_temporary(std::unique_ptr<Cursor> cursor) {
  Status status = run_to_end(*cursor);
  if (status || status.error().code != ErrorCode::kReadOnly) return status;
  // The file itself is read-only on this connection, and SQLite finds that out before it changes anything.
  job_.frames.clear();
  job_.needs_writer = true;
  return {};
}

Status JobRunner::advance(std::unique_ptr<Cursor> cursor, std::size_t batch_bytes) {
  bool more = false;
  SKUA_ASSIGN(Frame frame, cursor->next_frame(batch_bytes, job_.is_inside_transaction(), more));
  if (more && job_.without_cursor) {
    job_.needs_cursor = true;
    return {};
  }
  job_.frames.push_back(std::move(frame));
  job_.cursor_open = more;
  job_.ended = !more;
  if (more) {
    job_.started_shortly = !writes_ && !connection_.may_stall() && cursor->started_shortly();
    job_.run_us = monotonic_us() - cursor->started_us();
    job_.was_only_interrupted = job_.run_us > InlineReads::kShortUsMax && SlowRun::was_only_interrupted();
    connection_.keep_cursor(job_.request->serial, std::move(cursor));
  } else {
    job_.was_short = !writes_ && !connection_.may_stall() && cursor->was_short();
    job_.run_us = cursor->run_us();
    job_.was_only_interrupted = job_.run_us > InlineReads::kShortUsMax && SlowRun::was_only_interrupted();
    if (job_.frames.back().byte_count() <= 2 * kFirstBatchBytes) connection_.give_back(cursor->take_batch());
  }
  return {};
}

Status JobRunner::spool() {
  Cursor* cursor = connection_.find_cursor(job_.request->serial);
  SKUA_CHECK(cursor != nullptr);
  auto more = StreamFile::fill(*cursor, sqlite3_db_filename(connection_.handle(), "main"), job_);
  if (!more || !*more) connection_.close_cursor(job_.request->serial);
  if (!more) return std::move(more).error();
  job_.cursor_open = *more;
  return {};
}

Status JobRunner::run_to_end(Cursor& cursor) {
  std::uint64_t held_bytes = 0;
  bool more = true;
  while (more) {
    SKUA_ASSIGN(Frame frame, cursor.next_frame(kBatchBytes, false, more));
    held_bytes += frame.byte_count();
    job_.frames.push_back(std::move(frame));
    if (held_bytes > held_bytes_max_ && more) {
      return make_error(ErrorCode::kLimit, fmt::format("the statement returns more than {} bytes, which must be held "
                                                       "until it is committed (held_result_bytes_max)",
                                                       held_bytes_max_));
    }
  }
  job_.ended = true;
  return {};
}

Status JobRunner::execute_many() {
  if (job_.slices != nullptr) return SliceRunner(connection_, job_).run();
  const bool inside = job_.is_inside_transaction() || in_group_;
  if (inside && job_.read_only) return make_error(ErrorCode::kReadOnly, "the transaction is read-only");
  if (inside) {
    SKUA_TRY(connection_.run_internal("SAVEPOINT skua_many"));
  } else {
    SKUA_TRY(connection_.begin(false, job_.relaxed));
  }
  Summary summary;
  // A malformed message shows while it is read, when rows before it are done.
  Status status = guarded([&] { return insert_rows(job_.request->message->root().getExecuteMany(), summary); });
  if (!status && inside && connection_.in_transaction()) {
    SKUA_TRY(connection_.run_internal("ROLLBACK TO skua_many"));
    SKUA_TRY(connection_.run_internal("RELEASE skua_many"));
  }
  if (!status) return status;  // without a transaction around it, finish_failed() rolls back
  SKUA_TRY(connection_.run_internal(inside ? "RELEASE skua_many" : "COMMIT"));
  summary.transaction = state_inside();
  summary.server_us = monotonic_us() - job_.request->arrival_us;
  job_.frames.push_back(done_response(job_.request->id, summary));
  job_.ended = true;
  return {};
}

Status JobRunner::insert_rows(wire::ExecuteMany::Reader many, Summary& summary) {
  SKUA_ASSIGN(const RowBatchReader rows, RowBatchReader::open(many.getRows()));
  SKUA_ASSIGN(StatementCache::Lease statement, connection_.lease(view_of(many.getSql())));
  SKUA_ASSIGN(const std::vector<int> parameters, match_columns(*statement, many.getNames(), rows.column_count()));
  RowRunner runner(connection_, std::move(statement), rows, parameters);
  for (std::size_t row = 0; row < rows.row_count(); ++row) SKUA_TRY(runner.run(row, summary));
  return {};
}

Status JobRunner::program() {
  ProgramRunner runner(connection_, job_, std::min<std::uint64_t>(held_bytes_max_, kRowBytesMax));
  SKUA_TRY(connection_.role() == ConnectionRole::kWriter && !connection_.in_transaction()
               ? connection_.set_relaxed(job_.relaxed)
               : Status());
  SKUA_ASSIGN(Frame frame, runner.run());
  if (job_.needs_writer) return {};
  job_.frames.push_back(std::move(frame));
  job_.ended = true;
  return {};
}

Status JobRunner::describe() {
  const std::string_view sql = view_of(job_.request->message->root().getDescribe().getSql());
  // SQLite compares its idea of the schema with the file's when it steps a statement, not when it prepares one.
  SKUA_TRY(connection_.run_internal("SELECT 1 FROM sqlite_schema LIMIT 1"));
  // Prepared anew: a cached statement tells of the schema it was last stepped with.
  SKUA_ASSIGN(const Statement statement, connection_.prepare(sql));
  const std::vector<ColumnInfo> columns = statement.columns();
  FrameBuilder frame(256);
  auto response = frame.initRoot<wire::Response>();
  response.setId(job_.request->id);
  auto description = response.initDescription();
  write_columns(columns, description.initColumns(static_cast<kj::uint>(columns.size())));
  auto names = description.initParameters(static_cast<kj::uint>(statement.parameter_count()));
  for (kj::uint i = 0; i < names.size(); ++i) {
    const std::string_view name = statement.parameter_name(static_cast<int>(i) + 1);
    fill_text(names.init(i, static_cast<kj::uint>(name.size())), name);
  }
  description.setReadOnly(statement.is_read_only() || statement.is_explain());
  job_.frames.push_back(frame.finish());
  job_.ended = true;
  return {};
}

Status JobRunner::savepoint() {
  std::string_view verb = "SAVEPOINT ";
  if (job_.savepoint_action == SavepointAction::kRelease) verb = "RELEASE ";
  if (job_.savepoint_action == SavepointAction::kRollbackTo) verb = "ROLLBACK TO ";
  return connection_.run_internal(std::string(verb) + quoted_name(job_.savepoint));
}

}  // namespace skua
