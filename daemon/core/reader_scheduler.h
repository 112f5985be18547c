// ReaderScheduler: who reads when. Leases reader connections to requests and transactions, and gives jobs to the reader
// threads, fairly between sessions in both queues.
//
// A stream keeps its connection until its end but a thread only while a batch is made. A read that is known to be short
// needs neither: it runs on the loop thread (InlineReads). Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "daemon/core/connection_pool.h"
#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/inline_reads.h"
#include "daemon/core/lane_user.h"

namespace skua {

// A reader connection in use: by a read outside of transactions, or by a read transaction or a session's own connection.
struct ReaderLease {
  std::uint32_t slot = 0;
  std::shared_ptr<Request> request;          // null if it is a transaction's
  std::shared_ptr<Transaction> transaction;  // null if it is a request's
  std::uint64_t since_us = 0;
};

class ReaderScheduler {
 public:
  ReaderScheduler(CoreContext& context, Delivery& delivery);
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
  void on_thread_free() SKUA_REQUIRES(loop_thread);
  // A job of a read outside of a transaction.
  void on_job_done(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);

  // A turn of the loop begins or ends.
  void on_turn_start() SKUA_REQUIRES(loop_thread);
  void on_turn_end() SKUA_REQUIRES(loop_thread) { inline_reads_.on_turn_end(); }
  // There is something to do for on_turn_start(), whatever else happens.
  bool wants_turn() const SKUA_REQUIRES(loop_thread) { return inline_reads_.has_deferred(); }
  const InlineReads& inline_reads() const SKUA_REQUIRES(loop_thread) { return inline_reads_; }

  // The client granted credit, or took its responses.
  void resume(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The request has ended while it was parked: gives its connection back.
  void close_cursor(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  // While the gate is shut no connection of the database is leased: who asks for one waits in the queue.
  void shut_gate(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void open_gate(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  bool is_gate_shut(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
  // In the order in which they were leased.
  const std::vector<ReaderLease>& leases(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
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
    std::vector<ReaderLease> leases;
    bool gate_shut = false;
  };

  void lease_to_waiting(Database& database) SKUA_REQUIRES(loop_thread);
  void feed_threads() SKUA_REQUIRES(loop_thread);
  void run_for(const std::shared_ptr<Request>& request, JobKind kind) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  LaneUser* user_ = nullptr;
  InlineReads inline_reads_ SKUA_GUARDED_BY(loop_thread);
  std::vector<Database> databases_ SKUA_GUARDED_BY(loop_thread);
  FairQueue<std::unique_ptr<Job>> ready_ SKUA_GUARDED_BY(loop_thread);  // for a thread
  std::uint32_t threads_busy_ SKUA_GUARDED_BY(loop_thread) = 0;
};

}  // namespace skua
