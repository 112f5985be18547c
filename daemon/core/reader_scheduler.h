// ReaderScheduler: who reads when. Leases reader connections to requests and transactions, and gives jobs to the reader
// threads, fairly between sessions in both queues.
//
// A stream keeps its connection until its end but a thread only while a batch is made. Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "daemon/core/connection_pool.h"
#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/lane_user.h"

namespace skua {

class ReaderScheduler {
 public:
  ReaderScheduler(CoreContext& context, Delivery& delivery);
  void set_lane_user(LaneUser& user) { user_ = &user; }

  // A read outside of a transaction, or a request that opens a read transaction.
  void submit(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // For the holder of a reader connection.
  void run(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);
  void release(std::uint16_t database, std::uint32_t slot) SKUA_REQUIRES(loop_thread);

  // Every job that ran on a reader thread, before anyone else sees it.
  void on_thread_free() SKUA_REQUIRES(loop_thread);
  // A job of a read outside of a transaction.
  void on_job_done(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);

  // The client granted credit, or took its responses.
  void resume(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The request has ended while it was parked: gives its connection back.
  void close_cursor(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  std::size_t connections_opened() const SKUA_REQUIRES(loop_thread);
  std::size_t connections_leased() const SKUA_REQUIRES(loop_thread);
  std::size_t waiting() const SKUA_REQUIRES(loop_thread);

 private:
  struct Database {
    explicit Database(std::uint32_t slots_max) : pool(slots_max) {}
    ConnectionPool pool;
    FairQueue<std::shared_ptr<Request>> waiting;  // for a connection
  };

  void lease_to_waiting(Database& database) SKUA_REQUIRES(loop_thread);
  void feed_threads() SKUA_REQUIRES(loop_thread);
  void run_for(const std::shared_ptr<Request>& request, JobKind kind) SKUA_REQUIRES(loop_thread);
  void park(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  LaneUser* user_ = nullptr;
  std::vector<Database> databases_ SKUA_GUARDED_BY(loop_thread);
  FairQueue<std::unique_ptr<Job>> ready_ SKUA_GUARDED_BY(loop_thread);  // for a thread
  std::uint32_t threads_busy_ SKUA_GUARDED_BY(loop_thread) = 0;
};

}  // namespace skua
