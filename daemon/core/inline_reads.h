// InlineReads: which reads run on the loop thread, and when.
//
// A hop to a reader thread and back costs more than a short read does, so a read that has shown that it is short
// (ReadHistory) is run at once, between two frames. What one turn of the loop gives to such reads is bounded, for each
// session and for all of them: what is more waits for the next turns, one session after the other, while everybody else
// is served in between. The jobs of read transactions that are as short run there too, on the transaction's connection. Loop
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/read_history.h"

namespace skua {

class InlineReads {
 public:
  // In one turn of the loop: of one session, of all sessions, and how many of these may be of earlier turns.
  static constexpr std::uint32_t kPerSessionMax = 64;
  static constexpr std::uint32_t kPerTurnMax = 256;
  static constexpr std::uint32_t kDeferredPerTurnMax = 128;
  // Streams of all sessions whose first batches are made in one turn.
  static constexpr std::uint32_t kStartsPerTurnMax = 8;
  // Jobs of read transactions of all sessions.
  static constexpr std::uint32_t kJobsPerTurnMax = 128;
  // What took longer than this was not short, unless others had the processor meanwhile.
  static constexpr std::uint64_t kShortUsMax = 1'000;
  // A stream that is stopped within this time was left early.
  static constexpr std::uint64_t kLeftEarlyUsMax = 1'000;
  // A database that is not read for this long keeps no snapshot.
  static constexpr std::uint64_t kSnapshotIdleUs = 100'000;

  struct Statistics {
    std::uint64_t reads = 0;     // answered
    std::uint64_t starts = 0;    // streams whose first batch was answered
    std::uint64_t overruns = 0;  // stopped, and run again on a lane
    std::uint64_t deferred = 0;  // to a later turn
  };

  InlineReads(CoreContext& context, Delivery& delivery);

  enum class Admission : std::uint8_t { kNow, kLater, kNever };
  // For a read outside of transactions that has just arrived.
  Admission admit(const Request& request) SKUA_REQUIRES(loop_thread);
  // False: it is for a lane. True: it was run, and has ended unless it waits for credit.
  bool run(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // For a read that is about to have a connection: the loop thread may make its first batch, and leave the rest to a lane.
  bool may_start(const Request& request) SKUA_REQUIRES(loop_thread);
  // False: it is for a lane from the beginning.
  bool start(Job& job) SKUA_REQUIRES(loop_thread);
  // Whether the client is likely to ask for no more than the first batch. What became of that guess; and, of every stream, when
  // it was stopped, and that it was read to its end.
  bool was_left_early(const Request& request) SKUA_REQUIRES(loop_thread);
  void on_waited_in_vain(const Request& request) SKUA_REQUIRES(loop_thread);
  void on_left(const Request& request) SKUA_REQUIRES(loop_thread);
  void on_read_to_end(const Request& request) SKUA_REQUIRES(loop_thread);
  // For a job that is about to have a thread: the loop thread may run it instead. A hop to a thread and back costs more than
  // beginning or ending a read transaction does, too.
  bool may_run_at_once(const Job& job) SKUA_REQUIRES(loop_thread);
  // For the turns to come.
  void defer(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The next one from an earlier turn; null if there is none, or no room for it in this turn.
  std::shared_ptr<Request> take_deferred() SKUA_REQUIRES(loop_thread);
  bool has_deferred() const SKUA_REQUIRES(loop_thread) { return !deferred_.empty(); }
  std::size_t waiting() const SKUA_REQUIRES(loop_thread) { return deferred_.size(); }

  void on_turn_end() SKUA_REQUIRES(loop_thread);
  // Every job of a read that a lane began, and those of transactions that the loop thread ran instead.
  void on_lane_run(const Job& job) SKUA_REQUIRES(loop_thread);

  const Statistics& statistics() const SKUA_REQUIRES(loop_thread) { return statistics_; }

 private:
  struct Database {
    ReadHistory history;
    ReadHistory starts;  // the same of streams, for what they do until their first batch
    ReadHistory leaves;  // the same of their clients: who left early was short
    std::uint64_t reads = 0;
    std::uint64_t reads_at_timer = 0;
    std::uint64_t idle_timer = 0;
  };

  static bool is_eligible(const Request& request);
  static bool was_quick(const Job& job) { return job.run_us <= kShortUsMax || job.was_only_interrupted; }
  static bool was_short(const Job& job) { return job.was_short && was_quick(job); }
  void watch_idle(std::uint16_t database) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  std::vector<Database> databases_ SKUA_GUARDED_BY(loop_thread);
  FairQueue<std::shared_ptr<Request>> deferred_ SKUA_GUARDED_BY(loop_thread);
  // Used again and again: it keeps its memory.
  Job job_ SKUA_GUARDED_BY(loop_thread);
  std::uint64_t turn_ SKUA_GUARDED_BY(loop_thread) = 1;
  std::uint32_t reads_in_turn_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint32_t jobs_in_turn_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint32_t starts_in_turn_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint32_t deferred_in_turn_ SKUA_GUARDED_BY(loop_thread) = 0;
  Statistics statistics_ SKUA_GUARDED_BY(loop_thread);
};

}  // namespace skua
