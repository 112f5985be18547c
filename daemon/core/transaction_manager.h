// TransactionManager: moves every interactive transaction through its states (transaction.h draws them).
//
// A transaction's requests start in order, each when the one before has finished or waits for credit; COMMIT is refused
// while rows stream, ROLLBACK ends the streams. After anything that rolled a transaction back on the server, every
// request in it is refused until the client says rollback. SQLite's own word on whether a transaction is open comes with
// every job and is obeyed. Loop thread.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/lane_user.h"
#include "daemon/core/reader_scheduler.h"
#include "daemon/core/session_state.h"
#include "daemon/core/transaction.h"
#include "daemon/core/write_scheduler.h"

namespace skua {

class TransactionManager final : public LaneUser {
 public:
  TransactionManager(CoreContext& context, Delivery& delivery, ReaderScheduler& readers, WriteScheduler& writers)
      : context_(context), delivery_(delivery), readers_(readers), writers_(writers) {}
  // A daemon that stops leaves transactions whose last job nobody takes; they and their requests keep each other alive.
  ~TransactionManager() override;
  TransactionManager(const TransactionManager&) = delete;
  TransactionManager& operator=(const TransactionManager&) = delete;

  // The request is a begin, or BEGIN or SAVEPOINT as SQL text, and its session has no such transaction.
  void open(const std::shared_ptr<Request>& request, SessionState& session, std::uint32_t number)
      SKUA_REQUIRES(loop_thread);
  // The request creates a TEMP object, and its session has no connection of its own yet.
  void open_pin(const std::shared_ptr<Request>& request, SessionState& session) SKUA_REQUIRES(loop_thread);
  // A request in an existing transaction, or on a session's own connection.
  void submit(const std::shared_ptr<Transaction>& transaction, const std::shared_ptr<Request>& request)
      SKUA_REQUIRES(loop_thread);
  void on_job_done(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);
  // Credit or room for a stream in a transaction.
  void resume(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The request was ended while it was queued or parked.
  void on_request_ended(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void on_session_closed(const std::shared_ptr<Transaction>& transaction) SKUA_REQUIRES(loop_thread);
  // A request that names the transaction failed before it was part of it: it must not commit as if that had been sent.
  // Returns what becomes of the transaction.
  TransactionState on_request_refused(const std::shared_ptr<Transaction>& transaction) SKUA_REQUIRES(loop_thread);

  // A read transaction or a session's own connection has to give up its snapshot.
  void end_snapshot(const std::shared_ptr<Transaction>& transaction) SKUA_REQUIRES(loop_thread);
  // The gate of the readers is open again: a session's own connection may go on.
  void on_gate_opened(const std::shared_ptr<Transaction>& transaction) SKUA_REQUIRES(loop_thread) { advance(transaction); }

  void on_lane_granted(const std::shared_ptr<Request>& request, std::uint32_t slot) override
      SKUA_REQUIRES(loop_thread);
  void on_group_granted(const std::shared_ptr<Request>& request, const std::vector<std::uint32_t>& slots) override
      SKUA_REQUIRES(loop_thread);
  void on_wait_over(const std::shared_ptr<Request>& request, Error error) override SKUA_REQUIRES(loop_thread);
  void on_statement_writes(const std::shared_ptr<Request>& request) override SKUA_REQUIRES(loop_thread);

  std::size_t open_count() const SKUA_REQUIRES(loop_thread) { return open_count_; }

 private:
  using Pointer = std::shared_ptr<Transaction>;

  // A request whose cursor or rows would have to wait ends with the error.
  void end_parked(const std::shared_ptr<Request>& request, Error error) SKUA_REQUIRES(loop_thread);
  Pointer create(const Request& request, SessionState& session) SKUA_REQUIRES(loop_thread);
  // The transactions that a begin opens beside its own.
  void create_siblings(const Request& request, SessionState& session, Transaction& leader) SKUA_REQUIRES(loop_thread);
  // It has a connection now, on which BEGIN is to run.
  void grant(Transaction& transaction, std::uint32_t slot) SKUA_REQUIRES(loop_thread);
  // The begin of a group did not get its connections.
  void abort_siblings(Transaction& leader) SKUA_REQUIRES(loop_thread);
  // Does whatever comes next: the one place where jobs of a transaction are started.
  void advance(const Pointer& transaction) SKUA_REQUIRES(loop_thread);
  void advance_open(const Pointer& transaction) SKUA_REQUIRES(loop_thread);
  void refuse_queued(const Pointer& transaction) SKUA_REQUIRES(loop_thread);
  void start(const Pointer& transaction, const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void start_savepoint(const Pointer& transaction, const std::shared_ptr<Request>& request)
      SKUA_REQUIRES(loop_thread);
  void run(const Pointer& transaction, const std::shared_ptr<Request>& request, std::unique_ptr<Job> job)
      SKUA_REQUIRES(loop_thread);
  void run_kind(const Pointer& transaction, const std::shared_ptr<Request>& request, JobKind kind)
      SKUA_REQUIRES(loop_thread);
  void run_rollback(const Pointer& transaction) SKUA_REQUIRES(loop_thread);

  void on_begin_done(const Pointer& transaction, Job& job) SKUA_REQUIRES(loop_thread);
  // BEGIN has run for it, perhaps together with others.
  void on_begun(const Pointer& transaction, const Job& job) SKUA_REQUIRES(loop_thread);
  void on_end_done(const Pointer& transaction, Job& job) SKUA_REQUIRES(loop_thread);
  void on_savepoint_done(const Pointer& transaction, Job& job) SKUA_REQUIRES(loop_thread);
  void replace_opener(const Pointer& pin) SKUA_REQUIRES(loop_thread);
  void on_statement_done(const Pointer& transaction, Job& job) SKUA_REQUIRES(loop_thread);
  void park(const Pointer& transaction, const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  // The daemon rolls it back, now or as soon as its job is done.
  void doom(const Pointer& transaction, CancelReason cause, std::string reason) SKUA_REQUIRES(loop_thread);
  // Fails a request that has had its turn, with the transaction's state and what its error mode demands.
  void refuse(const Pointer& transaction, const std::shared_ptr<Request>& request, ErrorCode code, std::string why)
      SKUA_REQUIRES(loop_thread);
  // It has no transaction in SQLite any more.
  void abort(const Pointer& transaction, std::string reason) SKUA_REQUIRES(loop_thread);
  void close(const Pointer& transaction) SKUA_REQUIRES(loop_thread);
  void release_connection(const Pointer& transaction) SKUA_REQUIRES(loop_thread);
  void move(Transaction& transaction, Transaction::State to) SKUA_REQUIRES(loop_thread);
  void watch_idle(const Pointer& transaction) SKUA_REQUIRES(loop_thread);
  void end_cursors(const Pointer& transaction, const Error& error) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  ReaderScheduler& readers_;
  WriteScheduler& writers_;
  std::size_t open_count_ SKUA_GUARDED_BY(loop_thread) = 0;
  // All that are not closed.
  std::unordered_map<const Transaction*, std::weak_ptr<Transaction>> alive_ SKUA_GUARDED_BY(loop_thread);
  std::unordered_map<std::uint16_t, std::uint32_t> pins_ SKUA_GUARDED_BY(loop_thread);  // how many, by database
};

}  // namespace skua
