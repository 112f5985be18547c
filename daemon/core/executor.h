// The seam between core/, which decides, and a storage engine, which does.
//
// A Job is one uninterrupted use of one connection. core/ fills in what is to be done, hands it to the Executor, and
// gets the same Job back through the CompletionQueue with what came of it. At most one job of a connection is under way
// at a time; core/ sees to that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/core/request.h"
#include "protocol/frame.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// A finished copy of a database, as the engine keeps it. It is gone when the last who has it lets it go; any thread.
class BackupFile {
 public:
  virtual ~BackupFile() = default;
};

// Rows of a stream that wait for its client in a file, as the engine keeps them. It is gone when the last who has it lets it
// go; any thread, one at a time.
class SpoolFile {
 public:
  virtual ~SpoolFile() = default;
};

// Names the writer connection of a database. Reader connections are numbered from 0.
inline constexpr std::uint32_t kWriterSlot = 0xffff'ffff;
// A job without a connection.
inline constexpr std::uint32_t kNoSlot = 0xffff'fffe;
// Names the connection for reads on the loop thread.
inline constexpr std::uint32_t kInlineSlot = 0xffff'fffd;

enum class JobKind : std::uint8_t {
  kRequest,    // run the request: execute, executeMany, program or describe
  kContinue,   // the next batch of the request's cursor
  kClose,      // close the request's cursor
  kBegin,      // open a transaction on the connection
  kCommit,
  kRollback,   // closes the connection's cursors first; never fails
  kSavepoint,
  kCheckpoint, // on the writer, without a request: empty the log; see Job::log_emptied
  kBackupCopy, // on the writer: the next slice of the database's copy, which is started if there is none
  kBackupEnd,  // on the writer: drop the copy that is being made
  kBackupRead, // on a reader's thread, without a connection: the next piece of the backup's file
  kSpool,      // on a reader connection: put the next rows of the request's cursor into its file, for a slice of time
  kSpoolRead,  // on a reader's thread, without a connection: the next batch out of that file
  kSpoolDrop,  // on a reader's thread, without a connection or a request: let the file go, which may take long
  kDiscard,    // close the connection itself: it has a session's TEMP objects
};

enum class SavepointAction : std::uint16_t { kSet = 0, kRelease = 1, kRollbackTo = 2 };

// What the writer's lane knows of a database's write-ahead log.
struct WalReport {
  std::uint64_t bytes = 0;  // in use: what a reader could still need, and what the next commit is added to
  // Since the daemon's start, and those that could not bring everything into the file because of readers.
  std::uint64_t checkpoints = 0;
  std::uint64_t checkpoints_blocked = 0;
};

struct Job {
  // ---- filled in by core/
  JobKind kind = JobKind::kRequest;
  std::uint16_t database = 0;
  std::uint32_t slot = kWriterSlot;
  std::shared_ptr<Request> request;          // null for a rollback after a session's death
  std::shared_ptr<Transaction> transaction;  // null: autocommit. Opaque to the engine
  std::size_t first_batch_bytes = kFirstBatchBytes;
  bool read_only = false;                    // kBegin: a read transaction; kRequest: inside of one
  bool pinned = false;                       // on the session's own connection: commits by itself, may use TEMP
  bool rollback_on_error = false;
  bool relaxed = false;                      // durability of what it commits
  // A write that commits by itself and may share its transaction with others of the kind.
  bool may_join_group = false;
  // Of a request in slices: its progress, which the engine takes further by one of them.
  std::unique_ptr<BulkSlices> slices;
  SavepointAction savepoint_action = SavepointAction::kSet;
  std::string savepoint;
  // kRequest: the connection is for what is done with its first batch; see needs_cursor.
  bool without_cursor = false;
  // Of a read transaction, and known to be short: the loop thread may run it. Then a thread has not; see run_on_reader().
  bool at_once = false;
  // kBegin of a read transaction with siblings: the connections of all of them, its own first. They are to share one snapshot, and
  // are all begun or none is.
  std::vector<std::uint32_t> group_slots;
  // kSpool, kSpoolRead: null before the first slice, which makes it. kSpool: the bytes by which it may grow.
  std::shared_ptr<SpoolFile> spool_file;
  std::uint64_t spool_room_bytes = 0;
  // kBackupRead: where in the file. The engine moves it.
  std::uint64_t backup_offset = 0;

  bool is_inside_transaction() const { return transaction != nullptr && !pinned; }

  // ---- filled in by the engine
  // Complete responses in order, ready to be sent. The last one ends the request if `ended`.
  std::vector<Frame> frames;
  // Only frames, ahead of the job itself, which goes on: a stream's batches while its client wants more
  // (Request::wanted_bytes).
  bool is_interim = false;
  bool ended = false;
  // Instead of the last response: the request ends with this error.
  std::unique_ptr<Error> error;
  // The cursor has more rows.
  bool cursor_open = false;
  // SQLite's own word (sqlite3_get_autocommit) after the job.
  bool transaction_open = false;
  // Nothing was done: the statement writes, and this connection only reads.
  bool needs_writer = false;
  // Nothing was done, nothing of it shows: the statement has more rows than a first batch, and this was without_cursor.
  bool needs_cursor = false;
  // kSpool: the bytes in the file. Of both jobs: those of a batch that did not fit into its room and is kept beside it, and
  // that there is more to read.
  std::uint64_t spool_bytes = 0;
  std::uint64_t spool_pending_bytes = 0;
  bool spool_has_rows = false;
  // Of a single statement that only read: it came to its end in so few steps and so few bytes that the loop thread could have
  // run it, and nothing in it can take long at once. And how long it took.
  bool was_short = false;
  std::uint64_t run_us = 0;
  // It took so long because others wanted the processor, and not for any reason of its own.
  bool was_only_interrupted = false;
  // What it used of its lane, in all its runs; of what commits by itself, up to the commit. Of a stream: since the interim job
  // before it, which was at lane_begin_us.
  std::uint64_t lane_us = 0;
  std::uint64_t lane_begin_us = 0;
  // Of one that has more rows: it came to its first batch in so few steps that the loop thread could have made it; run_us is
  // how long that took.
  bool started_shortly = false;
  // kCheckpoint: nobody needed the log, and the next commit starts it anew.
  bool log_emptied = false;
  // kBackupCopy: how far it is, in pages; how long the slice took; and the copy once it is complete. kBackupRead: set by
  // core/.
  std::uint64_t pages_done = 0;
  std::uint64_t pages_total = 0;
  std::uint64_t slice_us = 0;
  std::shared_ptr<BackupFile> backup_file;
  // Of a job on the writer: the log after it.
  WalReport wal;

  void forget_outcome() {
    frames.clear();
    ended = false;
    error = nullptr;
    cursor_open = false;
    transaction_open = false;
    needs_writer = false;
    needs_cursor = false;
    was_short = false;
    started_shortly = false;
    run_us = 0;
    was_only_interrupted = false;
  }
};

// What came of a read that was to run on the loop thread.
enum class InlineRead : std::uint8_t {
  kDone,     // what came of it is in the job
  kOverrun,  // it was stopped: it would take more than one turn of the loop has to give
  kRefused,  // it cannot run here, or not now
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Takes the job to a thread that runs it on the reader connection job->slot, opening it if need be. If it may be run at once
  // and can be, runs it on the calling thread; its job is in the CompletionQueue on return. Otherwise job->at_once is false when
  // it comes back.
  virtual void run_on_reader(std::unique_ptr<Job> job) = 0;
  // Takes the job to the writer lane of job->database. The lane runs its jobs in the order they come in. It may sleep until
  // flush(), so that the writes that arrive together are in one group.
  virtual void run_on_writer(std::unique_ptr<Job> job) = 0;
  // The loop's turn is over: its answers are sent, and what arrives from now on belongs to the next turn. `lonely`: the jobs
  // are all of one session, and no other has asked for anything lately. Then a short write may be run here and now, on the
  // calling thread, which spares it two changes of threads; its job is in the CompletionQueue on return.
  virtual void flush(bool lonely) { static_cast<void>(lonely); }

  // Runs a read outside of transactions at once, on the calling thread. Unless it is done, nothing of it shows, and it may
  // be run again elsewhere. It sees every write whose answer was sent before the turn began.
  virtual InlineRead read_inline(Job&) { return InlineRead::kRefused; }
  // Runs the job of a read that will have more rows than one batch at once, on the calling thread, and leaves its cursor in
  // the reader connection job->slot. Unless it is done, nothing of it shows, and it may be run again.
  virtual InlineRead start_inline(Job&) { return InlineRead::kRefused; }
  // Such reads are not expected for a while: lets go of the snapshot that is kept for them.
  virtual void end_inline_snapshot(std::uint16_t) {}
};

}  // namespace skua
