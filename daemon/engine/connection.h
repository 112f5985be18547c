// Connection: one sqlite3*, opened the way the daemon wants it, with its statements and cursors.
//
// Used by one thread at a time; which one may change between jobs. Never waits for a lock: the daemon is the file's only
// owner, and core/ sees to it that there is one writer.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "daemon/core/cancel_token.h"
#include "daemon/engine/authorizer.h"
#include "daemon/engine/commit_gate.h"
#include "daemon/engine/core_turns.h"
#include "daemon/engine/cursor.h"
#include "daemon/engine/database_options.h"
#include "daemon/engine/statement_cache.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// The log's file is cut back to this when it is started anew.
inline constexpr std::uint64_t kJournalSizeLimitBytes = 64 * kMiB;

enum class ConnectionRole : std::uint8_t { kWriter, kReader };

// A connection on the loop thread looks at its budget after so many of SQLite's virtual machine instructions: about 10 us.
inline constexpr int kInlineTickInstructions = 250;
// The largest value there: functions run over a value in one instruction, which nothing can stop.
inline constexpr int kInlineValueBytesMax = 64 * kKiB;

class Connection {
 public:
  // `frames` is where it takes the memory of large responses from; it may be null.
  static Result<std::unique_ptr<Connection>> open(const DatabaseOptions& options, ConnectionRole role,
                                                  std::shared_ptr<FramePool> frames = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ConnectionRole role() const { return role_; }
  sqlite3* handle() const { return db_.get(); }
  // SQLite's own word: is a transaction open?
  bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

  Result<StatementCache::Lease> lease(std::string_view sql);
  // Since the last lease(), SQLite prepared something by itself that can take long in one instruction.
  bool may_stall() const { return authorizer_.may_stall(); }
  // For statements of the daemon's own, which may do what users may not.
  Result<StatementCache::Lease> lease_internal(std::string_view sql);
  // Apart from the cache.
  Result<Statement> prepare(std::string_view sql);
  // While the result lives, SQLite may run transaction control by itself, as VACUUM does.
  Authorizer::Internal allow_internal() { return Authorizer::Internal(authorizer_); }
  // Puts the authorizer's reason into a refusal, which may also come while a statement runs.
  Error explain(Error error);
  // From now on the connection belongs to one session, which may create TEMP objects on it.
  Status allow_temporary();
  // From now on it is for short reads on the loop thread: values are small, and a Budget can stop what is not short.
  Status make_inline();
  // So that no statement has to do it, whatever it costs.
  void read_schema();
  // A statement of the daemon's own; its rows are dropped.
  Status run_internal(std::string_view sql);
  // Opens a write transaction, or a read transaction whose snapshot is taken at once.
  Status begin(bool read_only, bool relaxed);
  // Also what autocommit statements are committed with.
  Status set_relaxed(bool relaxed);
  // Deferred foreign keys that a commit would find broken.
  bool has_deferred_violations() const;
  // Closes all cursors and rolls back what is open.
  void rollback();

  // Memory for the rows of a cursor, which needs little if they are few.
  RowBatchBuilder take_batch() { return std::move(spare_batch_); }
  void give_back(RowBatchBuilder batch) { spare_batch_ = std::move(batch); }
  FramePool* frames() const { return frames_.get(); }

  Cursor* find_cursor(std::uint64_t serial);
  void keep_cursor(std::uint64_t serial, std::unique_ptr<Cursor> cursor);
  void close_cursor(std::uint64_t serial) { cursors_.erase(serial); }
  void close_all_cursors() { cursors_.clear(); }

  // While alive, SQLite stops as soon as the token says so. A null token never does.
  class Watch {
   public:
    Watch(Connection& connection, const CancelToken* token) : connection_(connection) { connection_.token_ = token; }
    ~Watch() {
      connection_.token_ = nullptr;
      connection_.leave_commit();
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Connection& connection_;
  };

  // While alive, a statement is stopped that has not begun to commit after so many microseconds; it is asked between SQLite's
  // instructions, one of which may take long by itself.
  class TimeBudget {
   public:
    TimeBudget(Connection& connection, std::uint64_t microseconds);
    ~TimeBudget() { connection_.budget_end_us_ = 0; }
    TimeBudget(const TimeBudget&) = delete;
    TimeBudget& operator=(const TimeBudget&) = delete;

    // A statement was stopped.
    bool is_spent() const { return connection_.budget_spent_; }

   private:
    Connection& connection_;
  };

  // While alive, no value may be longer than on an inline connection.
  class ShortValues {
   public:
    explicit ShortValues(Connection& connection);
    ~ShortValues();
    ShortValues(const ShortValues&) = delete;
    ShortValues& operator=(const ShortValues&) = delete;

   private:
    Connection& connection_;
    const int bytes_max_before_;
  };
  // While alive, SQLite stops when it has taken more than so many ticks: of kInlineTickInstructions on an inline connection, of
  // twenty instructions on others.
  class Budget {
   public:
    Budget(Connection& connection, std::uint32_t ticks_max) : connection_(connection) {
      connection_.ticks_max_ = ticks_max;
      connection_.ticks_ = 0;
    }
    ~Budget() { connection_.ticks_max_ = kEndlessTicks; }
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;
    std::uint32_t used() const { return connection_.ticks_; }
    bool is_over() const { return connection_.ticks_ > connection_.ticks_max_; }

   private:
    Connection& connection_;
  };

  // From now on the connection commits inside of this gate, which outlives it: from where SQLite begins to commit to where
  // the commit can be seen, or has failed.
  void use_commit_gate(CommitGate& gate) { commit_gate_ = &gate; }
  // When the last transaction with changes began to commit. Of the writer.
  std::uint64_t commit_began_us() const { return commit_began_us_; }

  std::uint64_t idempotency_keep_ms() const { return idempotency_keep_ms_; }

  // Pages in the write-ahead log after the last commit on this connection.
  int wal_pages() const { return wal_pages_; }
  void forget_wal_pages() { wal_pages_ = 0; }
  // Called after each commit on this connection, on its thread, with the pages in the log then. It must not use
  // the connection but for read_file(), and not throw. One at a time; null for none.
  void set_commit_listener(std::function<void(std::uint32_t)> listener) {
    commit_listener_ = std::move(listener);
  }
  // Of the database's file. WAL mode keeps it from changing. sqlite.org/pragma.html#pragma_page_size
  std::uint32_t page_bytes() const { return page_bytes_; }
  // Of the database as of the last commit.
  Result<std::uint32_t> page_count();
  // Of the database's file, whatever the log says; zeros behind its end.
  Status read_file(std::uint64_t offset, char* to, std::size_t bytes) const;

 private:
  // While alive, nothing is stopped: the daemon's own statements are short, and half of them would be worse than none.
  class Unstoppable {
   public:
    explicit Unstoppable(Connection& connection)
        : connection_(connection),
          token_(std::exchange(connection.token_, nullptr)),
          budget_end_us_(std::exchange(connection.budget_end_us_, 0)),
          ticks_max_(std::exchange(connection.ticks_max_, kEndlessTicks)) {}
    ~Unstoppable() {
      connection_.token_ = token_;
      connection_.budget_end_us_ = budget_end_us_;
      connection_.ticks_max_ = ticks_max_;
    }
    Unstoppable(const Unstoppable&) = delete;
    Unstoppable& operator=(const Unstoppable&) = delete;

   private:
    Connection& connection_;
    const CancelToken* token_;
    const std::uint64_t budget_end_us_;
    const std::uint32_t ticks_max_;
  };
  static constexpr std::uint32_t kEndlessTicks = UINT32_MAX;

  // prepare(), once more if the connection's schema was out of date.
  template <class Prepare>
  std::invoke_result_t<Prepare> prepare_fresh(Prepare prepare);
  Connection(ConnectionRole role, const DatabaseOptions& options)
      : role_(role), statements_(options.statement_cache_entries, options.statement_cache_bytes_max, &authorizer_) {}
  Status configure(const DatabaseOptions& options);
  Status read_page_bytes();
  Status step_internal(std::string_view sql);
  // Each at any time, and as often as one likes.
  void enter_commit();
  void leave_commit();
  // SQLite's progress handler.
  bool is_to_stop();
  // Of a thread whose work may be long.
  void offer_core();
  void watch_progress(int instructions);
  // The next statement may take long in one instruction, or not.
  void expect_stall(bool stall);
  void set_limits();

  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };

  const ConnectionRole role_;
  std::unique_ptr<sqlite3, Close> db_;
  Authorizer authorizer_;
  const CancelToken* token_ = nullptr;
  // 0: none.
  std::uint64_t budget_end_us_ = 0;
  bool budget_spent_ = false;
  bool is_inline_ = false;
  int progress_instructions_ = 0;
  std::uint32_t ticks_ = 0;
  std::uint32_t ticks_max_ = kEndlessTicks;
  CoreTurns turns_;
  bool relaxed_ = false;
  std::uint64_t commit_began_us_ = 0;
  std::uint64_t idempotency_keep_ms_ = 0;
  CommitGate* commit_gate_ = nullptr;
  bool is_committing_ = false;
  int wal_pages_ = 0;
  std::function<void(std::uint32_t)> commit_listener_;
  std::uint32_t page_bytes_ = 0;
  StatementCache statements_;
  // Apart from the users', who could otherwise lease what was prepared with the daemon's own rights.
  StatementCache internal_statements_{16, 1 * kMiB};
  std::unordered_map<std::uint64_t, std::unique_ptr<Cursor>> cursors_;
  RowBatchBuilder spare_batch_;
  std::shared_ptr<FramePool> frames_;
};

}  // namespace skua
