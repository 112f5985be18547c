// ReaderScheduler: who reads when. Leases reader connections to requests and transactions, and gives jobs to the reader
// threads, fairly between sessions in both queues: by turns, by what their jobs take of a thread, and by the threads they have.
//
// A stream keeps its connection until its end but a thread only while a batch is made. If it keeps it for long, if the
// write-ahead log grows because of it, or if others wait for a connection, the rest of its rows is put into a file and the
// connection goes back (StreamSpools), the oldest first.
//
// The last connections of a database, a sixteenth, are for reads that need one for a moment: those that are done with their
// first batch. What turns out to be longer waits for another one and begins anew; nothing of it was sent. So a read never waits
// behind streams that nobody reads. A read that is known to be short needs neither connection nor thread: it runs on the loop
// thread (InlineReads). Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "daemon/core/connection_pool.h"
#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/inline_reads.h"
#include "daemon/core/lane_user.h"
#include "daemon/core/stream_spools.h"
#include "daemon/core/thread_shares.h"

namespace skua {

// A reader connection in use: by a read outside of transactions, or by a read transaction or a session's own connection.
struct ReaderLease {
  std::uint32_t slot = 0;
  std::shared_ptr<Request> request;          // null if it is a transaction's
  std::shared_ptr<Transaction> transaction;  // null if it is a request's
  // It has no snapshot from before this time: it was leased then or, later, its first job was given to a thread.
  std::uint64_t since_us = 0;
  bool is_brief = false;    // one of the last: it goes back after the first batch
  bool is_at_gate = false;  // it has no snapshot and takes none before the gate is opened
};

class ReaderScheduler {
 public:
  ReaderScheduler(CoreContext& context, Delivery& delivery);
  // Of the connections of a database, those that may be kept beyond a first batch.
  static std::uint32_t kept_max(const Limits& limits);
  void set_lane_user(LaneUser& user) { user_ = &user; }

  // For a read outside of transactions that has just come, and that its session does not know of yet.
  enum class AtOnce : std::uint8_t {
    kEnded,   // it is answered
    kHeld,    // it was run, and its answer waits for credit: list and park() it
    kLater,   // it is short, but there is no room in this turn: list it, and read_later()
    kOnLane,  // list and submit() it
  };
  AtOnce read_at_once(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void read_later(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread) { inline_reads_.defer(request); }
  void park(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  // A read outside of a transaction, or a request that opens a read transaction.
  void submit(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // For the holder of a reader connection.
  void run(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);
  void release(std::uint16_t database, std::uint32_t slot) SKUA_REQUIRES(loop_thread);

  // Every job that ran on a reader thread, before anyone else sees it.
  void on_thread_free(const Job& job) SKUA_REQUIRES(loop_thread);
  // Batches of a stream that goes on meanwhile.
  void on_interim(Job& job) SKUA_REQUIRES(loop_thread);
  // A job of a read outside of a transaction.
  void on_job_done(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);

  // A turn of the loop begins or ends.
  void on_turn_start() SKUA_REQUIRES(loop_thread);
  void on_turn_end() SKUA_REQUIRES(loop_thread);
  // The loop thread is about to sleep.
  void on_sleep() SKUA_REQUIRES(loop_thread) { start_held_back(true); }
  // There is something to do for on_turn_start(), whatever else happens.
  bool wants_turn() const SKUA_REQUIRES(loop_thread) { return inline_reads_.has_deferred(); }
  const InlineReads& inline_reads() const SKUA_REQUIRES(loop_thread) { return inline_reads_; }

  // The client granted credit, or took its responses.
  void resume(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The request has ended while it was parked: gives its connection back.
  void close_cursor(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  // A request that opens a group of transactions has ended while it waited for their connections.
  void on_group_ended(std::uint16_t database) SKUA_REQUIRES(loop_thread) { lease_to_waiting(databases_[database]); }

  // While the gate is shut no connection of the database is leased: who asks for one waits in the queue. And nobody begins to read
  // on one that he has: who still waited for a thread waits on, and first has one when the gate is opened.
  void shut_gate(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void open_gate(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  bool is_gate_shut(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
  // Short reads pass the gate: they keep a snapshot for a turn of the loop at most, and give it up for a checkpoint. While the
  // database is closed they wait with the others.
  void set_closed(std::uint16_t database, bool closed) SKUA_REQUIRES(loop_thread) { databases_[database].is_closed = closed; }
  // The log grows: streams are put into files, so that it can be emptied.
  void press(std::uint16_t database, bool pressed) SKUA_REQUIRES(loop_thread);
  // In the order in which they were leased.
  const std::vector<ReaderLease>& leases(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
  // The client stops a request that may be a stream.
  void on_left(const Request& request) SKUA_REQUIRES(loop_thread) {
    if (request.cursor_open && request.transaction == nullptr) inline_reads_.on_left(request);
  }
  // Ends a read outside of transactions that has a connection, wherever it is; the connection comes back by itself.
  void stop(const std::shared_ptr<Request>& request, CancelReason reason) SKUA_REQUIRES(loop_thread);

  std::size_t connections_opened() const SKUA_REQUIRES(loop_thread);
  std::size_t connections_leased() const SKUA_REQUIRES(loop_thread);
  std::size_t waiting() const SKUA_REQUIRES(loop_thread);

 private:
  struct Database {
    explicit Database(std::uint32_t slots_max) : pool(slots_max) {}
    ConnectionPool pool;
    FairQueue<std::shared_ptr<Request>> waiting;  // for a connection
    // For one that they may keep: they had their turn when none of those was left. Before all in `waiting`.
    FairQueue<std::shared_ptr<Request>> waiting_to_keep;
    std::vector<ReaderLease> leases;
    std::uint32_t brief_leases = 0;
    bool gate_shut = false;
    bool is_closed = false;
    std::vector<std::unique_ptr<Job>> at_gate;  // of the leases that are
    bool pressed = false;
    std::uint64_t lease_timer = 0;
    // There may be streams whose lease is over and for which there was no place yet.
    bool has_overdue = false;
    // While the request whose turn it is opens a group of transactions, and not enough connections are free for it.
    std::uint64_t group_timer = 0;

    bool is_crowded() const SKUA_REQUIRES(loop_thread) {
      return !gate_shut && (!waiting_to_keep.empty() || (!waiting.empty() && pool.is_exhausted()));
    }
    std::uint32_t kept_leases() const SKUA_REQUIRES(loop_thread) {
      return static_cast<std::uint32_t>(leases.size()) - brief_leases;
    }
  };

  void lease_to_waiting(Database& database) SKUA_REQUIRES(loop_thread);
  // Who gets the next connection; null if nobody waits for it.
  std::shared_ptr<Request> take_waiting(Database& database, bool may_keep) SKUA_REQUIRES(loop_thread);
  // The request that opens a group of transactions and has its turn, if there is one; it keeps its turn while it waits.
  std::shared_ptr<Request> next_group(Database& database) SKUA_REQUIRES(loop_thread);
  // All of the group's connections at once, or none: then nobody else gets one that may be kept, for siblings_wait_ms_max at the
  // most. False: it has to wait.
  bool lease_to_group(Database& database, const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void watch_group(Database& database, const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void feed_threads() SKUA_REQUIRES(loop_thread);
  // Before the job its connection has no snapshot.
  static bool takes_snapshot(const Job& job) SKUA_REQUIRES(loop_thread);
  // The leases of the connections that the job is for.
  template <class Visitor>
  void for_leases_of(const Job& job, const Visitor& visitor) SKUA_REQUIRES(loop_thread);
  std::unique_ptr<Job> job_for(const std::shared_ptr<Request>& request, JobKind kind) SKUA_REQUIRES(loop_thread);
  void run_for(const std::shared_ptr<Request>& request, JobKind kind) SKUA_REQUIRES(loop_thread);
  // Makes the first batch here and now, if that is known to be quick: a hop to a thread and back takes longer.
  bool start_at_once(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // A stream that has a thread keeps it from batch to batch, if there is memory for batches ahead of those that were sent.
  void begin_run(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void end_run(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // How far it may go now: nowhere once somebody waits for a thread, or it is to be put into a file.
  void let_run_on(Request& request) SKUA_REQUIRES(loop_thread);
  // What a job used counts when its session asks for more.
  void charge(const Job& job) SKUA_REQUIRES(loop_thread);

  // What comes next of a stream that has more rows, and no job under way.
  void go_on(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // No thread is woken yet for a stream whose first batch the loop thread has made: its client may say in the next moment
  // that it wants no more. For a moment as long as nobody sleeps, and for longer if it was so the last time.
  void hold_back(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // Those whose time is over, or that nobody would wake the loop for.
  void start_held_back(bool before_sleep) SKUA_REQUIRES(loop_thread);
  void watch_held_back() SKUA_REQUIRES(loop_thread);
  void on_statement_done(Job& job) SKUA_REQUIRES(loop_thread);
  void on_slice_done(Job& job) SKUA_REQUIRES(loop_thread);
  void on_read_done(Job& job) SKUA_REQUIRES(loop_thread);
  // Ends the request if it was stopped while its job ran. True: it has ended, and its cursor is closed.
  bool has_ended(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // Somebody else needs what the streams of the database hold.
  bool is_needed(const Database& database) const SKUA_REQUIRES(loop_thread) {
    return database.pressed || database.is_crowded();
  }
  // Puts parked streams into files, the oldest first, as far as there is need and place.
  void start_spools(std::uint16_t index) SKUA_REQUIRES(loop_thread);
  void watch_leases(std::uint16_t index) SKUA_REQUIRES(loop_thread);
  void on_lease_timer(std::uint16_t index) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  LaneUser* user_ = nullptr;
  InlineReads inline_reads_ SKUA_GUARDED_BY(loop_thread);
  StreamSpools spools_ SKUA_GUARDED_BY(loop_thread);
  const std::uint32_t kept_max_;
  std::vector<Database> databases_ SKUA_GUARDED_BY(loop_thread);
  FairQueue<std::unique_ptr<Job>> ready_ SKUA_GUARDED_BY(loop_thread);  // for a thread
  ThreadShares threads_ SKUA_GUARDED_BY(loop_thread);
  // Streams that have a thread and may keep it from batch to batch. Their batches ahead are in memory.under_way.
  std::vector<std::shared_ptr<Request>> running_ SKUA_GUARDED_BY(loop_thread);
  // Some may have gone on by themselves, or have ended.
  struct HeldBack {
    std::shared_ptr<Request> request;
    std::uint64_t until_us = 0;
    bool was_left_early = false;
  };
  std::vector<HeldBack> held_back_ SKUA_GUARDED_BY(loop_thread);
  std::uint64_t held_back_timer_ SKUA_GUARDED_BY(loop_thread) = 0;
};

}  // namespace skua
