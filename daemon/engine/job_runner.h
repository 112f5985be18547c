// JobRunner: does on a connection what a Job asks for, and writes into the Job what came of it.
//
// After every job SQLite is asked whether a transaction is open, and that answer goes back with it. Used by the thread
// that has the connection.
#pragma once

#include "daemon/core/completion_queue.h"
#include "daemon/core/executor.h"
#include "daemon/engine/connection.h"
#include "daemon/engine/stream_pace.h"

namespace skua {

class JobRunner {
 public:
  // `completions` is where the batches of a stream go while it goes on, at the calling thread's `pace`, if it has one; null: it
  // stops after each.
  JobRunner(Connection& connection, Job& job, std::uint64_t held_bytes_max, CompletionQueue* completions = nullptr,
            StreamPace* pace = nullptr)
      : connection_(connection), job_(job), held_bytes_max_(held_bytes_max), completions_(completions), pace_(pace) {}

  void run();
  // Runs a request that commits by itself inside the transaction of its group instead, which is open. False if that has to
  // be rolled back now: SQLite has done it, or the request left something that only a rollback undoes.
  bool run_in_group();

 private:
  // The job's error, if there is one, is in the job.
  Status run_watched();
  Status run_kind();
  // A request with an idempotency key, inside of a transaction that is open.
  Status run_once();
  // The same by itself.
  void run_keyed();
  Status run_request();
  Status execute();
  // A write on the session's own connection; one of more than TEMP objects needs the writer.
  Status write_temporary(std::unique_ptr<Cursor> cursor);
  Status execute_many();
  Status insert_rows(wire::ExecuteMany::Reader many, Summary& summary);
  Status program();
  Status describe();
  // The next batch of the request's cursor, and those after it while the client wants them.
  Status continue_cursor();
  bool may_go_on(const Cursor& cursor) const;
  // Sends what is there of the job's outcome.
  void send_interim();
  // Sends what the cursor has next; keeps it if there is more.
  Status advance(std::unique_ptr<Cursor> cursor, std::size_t batch_bytes);
  // Puts rows of the cursor into its file.
  Status spool();
  // Runs the cursor to its end before anything is sent.
  Status run_to_end(Cursor& cursor);
  Status savepoint();
  void finish_failed();
  // In a group: the error left nothing behind that the request would not have left by itself.
  bool undoes_itself(const Error& error) const;

  bool is_autocommit_write() const {
    return job_.slot == kWriterSlot && !job_.is_inside_transaction() && !in_group_;
  }
  TransactionState state_inside() const {
    return job_.is_inside_transaction() ? TransactionState::kOpen : TransactionState::kNone;
  }

  Connection& connection_;
  Job& job_;
  const std::uint64_t held_bytes_max_;
  CompletionQueue* const completions_;
  StreamPace* const pace_;
  bool in_group_ = false;
  // A request with an idempotency key has done its work, but its answer could not be kept.
  bool unkept_ = false;
  // The request is one statement, and it writes.
  bool writes_ = false;
};

}  // namespace skua
