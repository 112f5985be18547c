// SqliteExecutor: the storage engine behind core/executor.h. Owns the databases and all threads but the loop's.
//
// Everything here is called on the loop thread; jobs come back through the CompletionQueue, which must outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/core/completion_queue.h"
#include "daemon/core/executor.h"
#include "daemon/engine/database_options.h"
#include "protocol/limits.h"

namespace skua {

class Database;
class InlineLane;
class ReaderLanes;
class WriterLane;

class SqliteExecutor final : public Executor {
 public:
  // Settings of SQLite for the whole process. Before anything else is done with SQLite in it; later it does nothing.
  static void configure_process();
  // Opens every database, or says why the first one that cannot be opened cannot.
  static Result<std::unique_ptr<SqliteExecutor>> open(const std::vector<DatabaseOptions>& databases,
                                                      const Limits& limits, CompletionQueue& completions);
  ~SqliteExecutor() override;

  // Finishes the jobs under way, ends the threads and closes the databases. Jobs that come later are dropped. Call it
  // while the CompletionQueue's waker still works.
  void stop();

  void run_on_reader(std::unique_ptr<Job> job) override;
  void run_on_writer(std::unique_ptr<Job> job) override;
  void flush(bool lonely) override;
  InlineRead read_inline(Job& job) override;
  InlineRead start_inline(Job& job) override;
  void end_inline_snapshot(std::uint16_t database) override;

  static std::string sqlite_version();

 private:
  SqliteExecutor(const Limits& limits, CompletionQueue& completions);

  // False: nothing of it shows, and it is for a lane.
  bool run_at_once(Job& job);

  const Limits limits_;
  CompletionQueue& completions_;
  // That the loop thread has answered.
  std::atomic<std::uint64_t> short_reads_ = 0;
  std::vector<std::unique_ptr<Database>> databases_;
  std::unique_ptr<ReaderLanes> readers_;
  std::vector<std::unique_ptr<InlineLane>> inline_lanes_;
  // Those that ran something in this turn, or hold a snapshot.
  std::vector<InlineLane*> reading_;
  // Started by a database's first write.
  std::vector<std::unique_ptr<WriterLane>> writers_;
  // Those with jobs they may not know of.
  std::vector<WriterLane*> asleep_;
};

}  // namespace skua
