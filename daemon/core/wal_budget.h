// WalBudget: keeps each database's write-ahead log within wal_bytes_max, whatever its readers do.
//
// SQLite starts the log anew only at a moment when all of it is in the file and no reader has a snapshot in it. Readers
// that overlap leave no such moment, so one is made when the log has passed half of its budget: a drain. New reads wait at
// the readers' gate, those under way get wal_drain_ms_max to end and are then ended, and a checkpoint empties the log. Short
// reads wait for that checkpoint only.
//
//             half is passed          the lane can be had          a reader needs the log
//   ┌─► idle ───────────────► wanted ────────────────────► asking ────────────────────────► grace
//   │                           ▲ │ the log was emptied      │                              │ │ │
//   ├───────────────────────────┼─┴──────────────────────────┘          the lane is busy    │ │ │
//   │                           └─────────────── when the time is over ─────────────────────┘ │ │
//   │                                                                                         │ │ the time is over
//   │                                                              no snapshot is left        │ ▼
//   └──────────────────────────────────────────── emptying ◄──────────────────────────────────┴─ ending
//
// In asking and emptying a checkpoint job is in the writer's lane. The gate is shut in grace, ending and emptying. From
// wanted on no write transaction gets the lane; one that has it is waited for, with the gate open. Writes by themselves go
// on, one group at a time, until the log is at its budget, nothing but the lane is waited for, or the grace is nearly over: so
// the lane is busy at its end only with what takes long. Databases are independent of each other. Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/core/context.h"
#include "daemon/core/reader_scheduler.h"
#include "daemon/core/transaction_manager.h"
#include "daemon/core/write_scheduler.h"

namespace skua {

class WalBudget {
 public:
  struct Statistics {
    std::uint64_t bytes = 0;          // of all logs
    std::uint64_t bytes_largest = 0;  // of the largest
    std::uint64_t checkpoints = 0;
    std::uint64_t checkpoints_blocked = 0;
    std::uint64_t drains = 0;
    // Whose snapshot was the oldest when the last drain began, and how old it was.
    std::uint64_t pinned_by_session = 0;
    std::uint64_t pinned_ms = 0;
  };

  WalBudget(CoreContext& context, ReaderScheduler& readers, WriteScheduler& writers, TransactionManager& transactions);

  // Every job of a writer, before anyone else sees it.
  void on_report(std::uint16_t database, const WalReport& report) SKUA_REQUIRES(loop_thread);
  // A job of this class's own.
  void on_checkpoint_done(const Job& job) SKUA_REQUIRES(loop_thread);
  // After every job of the database, when everyone has seen it: a snapshot or the lane may have become free.
  void advance(std::uint16_t database) SKUA_REQUIRES(loop_thread);

  Statistics statistics() const SKUA_REQUIRES(loop_thread);

 private:
  enum class State : std::uint8_t { kIdle, kWanted, kAsking, kGrace, kEnding, kEmptying };

  struct Log {
    WalReport report;
    State state = State::kIdle;
    // The lane was not free when the time was over: this time all writes wait until it is.
    bool insists = false;
    // After a checkpoint that failed: no other before the log has this size.
    std::uint64_t retry_bytes = 0;
    // A checkpoint job is in the writer's lane, on its way there or back.
    bool checkpoint_runs = false;
    std::uint64_t grace_since_us = 0;
    std::uint64_t grace_timer = 0;
    bool grace_is_nearly_over = false;
    // Empties the log of a database to which nobody writes.
    std::uint64_t quiet_timer = 0;
    std::uint64_t reported_us = 0;
  };

  static bool shuts_gate(State state) {
    return state == State::kGrace || state == State::kEnding || state == State::kEmptying;
  }
  std::uint64_t grace_us() const { return std::uint64_t{context_.limits.wal_drain_ms_max} * 1000; }
  void move(std::uint16_t database, State to) SKUA_REQUIRES(loop_thread);
  void start_grace(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void on_grace_nearly_over(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void on_grace_over(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void end_snapshots(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void start_checkpoint(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  // The gate and the lane as the present state wants them.
  void set_admissions(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void watch_quiet(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void check_invariants(std::uint16_t database) const SKUA_REQUIRES(loop_thread);

  bool has_snapshots(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
  // Null if there is none.
  const ReaderLease* oldest_snapshot(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
  void remember_offender(std::uint16_t database) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  ReaderScheduler& readers_;
  WriteScheduler& writers_;
  TransactionManager& transactions_;
  std::vector<Log> logs_ SKUA_GUARDED_BY(loop_thread);
  std::uint64_t drains_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t pinned_by_session_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t pinned_ms_ SKUA_GUARDED_BY(loop_thread) = 0;
};

}  // namespace skua
