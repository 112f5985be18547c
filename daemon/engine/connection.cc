#include "daemon/engine/connection.h"

#include <fmt/format.h>
#include <sched.h>

#include "daemon/base/clock.h"
#include "daemon/engine/sqlite_error.h"
#include "protocol/limits.h"

namespace skua {

namespace {

// How many of SQLite's virtual machine instructions run between two looks at the token: those of a few rows, which costs a scan
// less than one percent; and those of a single row if one of them may go over a value of megabytes.
constexpr int kProgressInstructions = 20;
constexpr int kStallingProgressInstructions = 5;
// So many of those between two looks at the clock.
constexpr std::uint32_t kTicksToOffer = 32;
constexpr int kWriterCacheKib = 16 * 1024;
constexpr int kInlineCacheKib = 16 * 1024;

}  // namespace

Connection::~Connection() {
  // Statements before the connection; members go in the other order.
  cursors_.clear();
}

Result<std::unique_ptr<Connection>> Connection::open(const DatabaseOptions& options, ConnectionRole role,
                                                     std::shared_ptr<FramePool> frames) {
  std::unique_ptr<Connection> connection(new Connection(role, options));
  connection->frames_ = std::move(frames);
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (role == ConnectionRole::kReader) {
    flags |= SQLITE_OPEN_READONLY;
  } else {
    flags |= SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0);
  }
  sqlite3* db = nullptr;
  // unix-excl keeps the WAL index in the daemon's memory and locks every other process out.
  const int code = sqlite3_open_v2(options.file.c_str(), &db, flags, "unix-excl");
  connection->db_.reset(db);
  if (code != SQLITE_OK) return sqlite_error(db, code);
  SKUA_TRY(connection->configure(options));
  return connection;
}

void Connection::set_limits() {
  sqlite3* db = db_.get();
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(kRowBytesMax));
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(kSqlBytesMax));
  sqlite3_limit(db, SQLITE_LIMIT_COLUMN, static_cast<int>(kColumnsMax));
  sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, static_cast<int>(kParametersMax));
  sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, static_cast<int>(kPatternBytesMax));
}

Status Connection::configure(const DatabaseOptions& options) {
  sqlite3* db = db_.get();
  idempotency_keep_ms_ = options.idempotency_keep_ms;
  set_limits();
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, options.trusted_schema ? 1 : 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, options.foreign_keys ? 1 : 0, nullptr);
  sqlite3_wal_autocheckpoint(db, 0);
  if (role_ == ConnectionRole::kWriter) {
    SKUA_TRY(run_internal("PRAGMA journal_mode=WAL"));
    SKUA_TRY(run_internal("PRAGMA synchronous=FULL"));
    SKUA_TRY(run_internal(fmt::format("PRAGMA cache_size=-{}", kWriterCacheKib)));
    SKUA_TRY(run_internal(fmt::format("PRAGMA journal_size_limit={}", kJournalSizeLimitBytes)));
    SKUA_TRY(read_page_bytes());
    sqlite3_wal_hook(
        db,
        [](void* self, sqlite3*, const char*, int pages) {
          Connection& connection = *static_cast<Connection*>(self);
          connection.leave_commit();
          connection.wal_pages_ = pages;
          if (connection.commit_listener_) connection.commit_listener_(static_cast<std::uint32_t>(pages));
          return SQLITE_OK;
        },
        this);
    // SQLite asks the progress handler once more after a statement has committed: what is committed from here on must
    // not be reported as stopped.
    sqlite3_commit_hook(
        db,
        [](void* self) {
          Connection& connection = *static_cast<Connection*>(self);
          connection.token_ = nullptr;
          connection.budget_end_us_ = 0;
          connection.commit_began_us_ = monotonic_us();
          connection.enter_commit();
          return 0;
        },
        this);
  }
  // Reads the whole schema, so that a damaged one is found now and not by the first user.
  SKUA_TRY(run_internal("SELECT 1 FROM sqlite_schema"));
  sqlite3_set_authorizer(db, Authorizer::callback, &authorizer_);
  watch_progress(kProgressInstructions);
  return {};
}

void Connection::watch_progress(int instructions) {
  sqlite3_progress_handler(
      db_.get(), instructions,
      [](void* self) { return static_cast<Connection*>(self)->is_to_stop() ? 1 : 0; }, this);
}

void Connection::expect_stall(bool stall) {
  const int instructions = stall ? kStallingProgressInstructions : kProgressInstructions;
  if (is_inline_ || instructions == progress_instructions_) return;
  progress_instructions_ = instructions;
  watch_progress(instructions);
}

Connection::ShortValues::ShortValues(Connection& connection)
    : connection_(connection),
      bytes_max_before_(sqlite3_limit(connection.db_.get(), SQLITE_LIMIT_LENGTH, kInlineValueBytesMax)) {}

Connection::ShortValues::~ShortValues() {
  sqlite3_limit(connection_.db_.get(), SQLITE_LIMIT_LENGTH, bytes_max_before_);
}

Status Connection::make_inline() {
  is_inline_ = true;
  sqlite3_limit(db_.get(), SQLITE_LIMIT_LENGTH, kInlineValueBytesMax);
  watch_progress(kInlineTickInstructions);
  // A page that is not in it is read from the system's memory, or from the disk, while everybody waits.
  return run_internal(fmt::format("PRAGMA cache_size=-{}", kInlineCacheKib));
}

void Connection::read_schema() {
  // A failure shows again when somebody needs it.
  (void)run_internal("SELECT 1 FROM sqlite_schema LIMIT 1");
}

void Connection::enter_commit() {
  if (commit_gate_ == nullptr || is_committing_) return;
  commit_gate_->enter();
  is_committing_ = true;
}

void Connection::leave_commit() {
  if (!is_committing_) return;
  is_committing_ = false;
  commit_gate_->leave();
}

bool Connection::is_to_stop() {
  if (token_ != nullptr && token_->is_cancelled()) return true;
  if (budget_end_us_ != 0 && monotonic_us() >= budget_end_us_) {
    budget_spent_ = true;
    return true;
  }
  ++ticks_;
  if (ticks_ % kTicksToOffer == 0 && role_ == ConnectionRole::kReader && !is_inline_) offer_core();
  return ticks_ > ticks_max_;
}

void Connection::offer_core() {
  const std::uint64_t now_us = monotonic_us();
  if (!turns_.is_over(now_us)) return;
  ::sched_yield();
  turns_.on_offered(now_us, monotonic_us());
}

Connection::TimeBudget::TimeBudget(Connection& connection, std::uint64_t microseconds) : connection_(connection) {
  connection.budget_end_us_ = monotonic_us() + microseconds;
  connection.budget_spent_ = false;
}

Status Connection::read_page_bytes() {
  SKUA_ASSIGN(Statement statement, Statement::prepare(db_.get(), "PRAGMA page_size"));
  SKUA_TRY(statement.step());
  page_bytes_ = static_cast<std::uint32_t>(statement.column(0).integer());
  return {};
}

Result<std::uint32_t> Connection::page_count() {
  SKUA_ASSIGN(const StatementCache::Lease statement, lease_internal("PRAGMA page_count"));
  SKUA_TRY(statement->step());
  return static_cast<std::uint32_t>(statement->column(0).integer());
}

Status Connection::read_file(std::uint64_t offset, char* to, std::size_t bytes) const {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (found != SQLITE_OK || file == nullptr || file->pMethods == nullptr) {
    return make_error(ErrorCode::kInternal, "the database's file is not open");
  }
  const int code = file->pMethods->xRead(file, to, static_cast<int>(bytes), static_cast<sqlite3_int64>(offset));
  if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ) return {};
  return sqlite_error(nullptr, code);
}

Error Connection::explain(Error error) {
  std::string reason = authorizer_.take_refusal();
  if (reason.empty()) return error;
  // For a function SQLite says SQLITE_ERROR, for everything else SQLITE_AUTH.
  error.code = ErrorCode::kAccess;
  error.message = std::move(reason);
  return error;
}

Result<StatementCache::Lease> Connection::lease(std::string_view sql) {
  leave_commit();  // a statement before this one that failed and was committed in part, as OR FAIL does
  authorizer_.forget_stall();
  authorizer_.take_refusal();
  if (auto cached = statements_.find(sql)) {
    expect_stall((*cached)->may_stall());
    return std::move(*cached);
  }
  SKUA_ASSIGN(StatementCache::Lease lease, prepare_fresh([&] { return statements_.lease(db_.get(), sql); }));
  if (authorizer_.may_stall()) lease->expect_stall();
  expect_stall(lease->may_stall());
  return lease;
}

Result<StatementCache::Lease> Connection::lease_internal(std::string_view sql) {
  const Authorizer::Internal internal(authorizer_);
  return internal_statements_.lease(db_.get(), sql);
}

Result<Statement> Connection::prepare(std::string_view sql) {
  return prepare_fresh([&] { return Statement::prepare(db_.get(), sql); });
}

template <class Prepare>
std::invoke_result_t<Prepare> Connection::prepare_fresh(Prepare prepare) {
  authorizer_.take_refusal();
  auto first = prepare();
  if (first) return first;
  if ((first.error().sqlite_code & 0xff) != SQLITE_SCHEMA) return explain(std::move(first).error());
  // The schema has changed since this connection read it. SQLite reads it again when a statement names a table, and
  // gives up on one that does not.
  SKUA_TRY(run_internal("SELECT 1 FROM sqlite_schema LIMIT 1"));
  auto second = prepare();
  if (!second) return explain(std::move(second).error());
  return second;
}

Status Connection::run_internal(std::string_view sql) {
  Status status = step_internal(sql);
  leave_commit();  // a commit that failed
  return status;
}

Status Connection::step_internal(std::string_view sql) {
  const Authorizer::Internal internal(authorizer_);
  const Unstoppable unstoppable(*this);
  SKUA_ASSIGN(const StatementCache::Lease statement, internal_statements_.lease(db_.get(), sql));
  while (true) {
    SKUA_ASSIGN(const bool has_row, statement->step());
    if (!has_row) return {};
  }
}

Status Connection::allow_temporary() {
  if (authorizer_.allows_temporary()) return {};
  SKUA_TRY(run_internal(fmt::format("PRAGMA temp.max_page_count={}", kTemporaryPagesMax)));
  authorizer_.allow_temporary();
  return {};
}

Status Connection::set_relaxed(bool relaxed) {
  if (relaxed == relaxed_) return {};
  SKUA_TRY(run_internal(relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL"));
  relaxed_ = relaxed;
  return {};
}

Status Connection::begin(bool read_only, bool relaxed) {
  if (!read_only) {
    SKUA_TRY(set_relaxed(relaxed));
    return run_internal("BEGIN IMMEDIATE");
  }
  SKUA_TRY(run_internal("BEGIN"));
  // SQLite takes the snapshot at the first read, the caller expects it at begin. This one does not look at the schema, which
  // may have changed since the connection read it and takes long to be read again.
  return run_internal("PRAGMA schema_version");
}

bool Connection::has_deferred_violations() const {
  int current = 0;
  int unused = 0;
  sqlite3_db_status(db_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &current, &unused, 0);
  return current != 0;
}

void Connection::rollback() {
  close_all_cursors();
  if (!in_transaction()) return;
  const Status status = run_internal("ROLLBACK");
  // ROLLBACK fails only if there is no transaction (sqlite.org/lang_transaction.html).
  SKUA_CHECK(status.has_value() || !in_transaction());
}

Cursor* Connection::find_cursor(std::uint64_t serial) {
  const auto found = cursors_.find(serial);
  return found == cursors_.end() ? nullptr : found->second.get();
}

void Connection::keep_cursor(std::uint64_t serial, std::unique_ptr<Cursor> cursor) {
  cursors_.emplace(serial, std::move(cursor));
}

}  // namespace skua
