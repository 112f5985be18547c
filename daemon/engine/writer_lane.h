// WriterLane: the one thread that writes to a database, and checkpoints it between writes.
//
// Writes that gathered while it was busy are committed together. A short write that comes alone may be run by the loop
// thread instead, while the lane's thread sleeps: two changes of threads are longer than many a commit. After a sync that
// failed the lane refuses to write: what is on the disk is known again only after the file was opened anew.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/core/completion_queue.h"
#include "daemon/engine/database.h"
#include "daemon/engine/group_pacer.h"
#include "daemon/engine/lane_queue.h"
#include "daemon/engine/short_writes.h"
#include "protocol/limits.h"

namespace skua {

class WriterLane {
 public:
  WriterLane(Database& database, CompletionQueue& completions, const Limits& limits);
  // Finishes what was pushed.
  ~WriterLane();

  // The lane may sleep until wake().
  void push(std::unique_ptr<Job> job) { queue_.push_quietly(std::move(job)); }
  void wake() { queue_.wake(); }
  // Runs the job that waits, if it is the only one, short, and nothing else is due; its answer is then in the
  // CompletionQueue, without a call of the waker. False: wake() is needed. Loop thread.
  bool run_lonely() SKUA_EXCLUDES(use_);

 private:
  using Jobs = std::vector<std::unique_ptr<Job>>;

  void run();
  Jobs next_group();
  void run_jobs(const Jobs& jobs) SKUA_REQUIRES(use_);
  // What there is to do with the jobs after them, before anybody hears of them.
  void finish_jobs(const Jobs& jobs) SKUA_REQUIRES(use_);
  // What keeps nobody waiting but the next writer: checkpoints, and room in the log's file.
  void tidy_up() SKUA_REQUIRES(use_);
  bool is_tidy() const SKUA_REQUIRES(use_);
  // Of those that may take long. The statement is then prepared.
  bool calls_functions(const Job& job) SKUA_REQUIRES(use_);
  // True if the job has its outcome.
  bool run_within_budget(Job& job) SKUA_REQUIRES(use_);
  // The jobs that are about the file and not about a request's SQL. False if it is none of them.
  bool run_file_job(Job& job) SKUA_REQUIRES(use_);
  void empty_log(Job& job) SKUA_REQUIRES(use_);
  Status copy_slice(Job& job) SKUA_REQUIRES(use_);
  void look_for_sync_failure(const Jobs& jobs) SKUA_REQUIRES(use_);
  // From now on nothing is written, if that is what the error means.
  void stop_trusting(const Error& error) SKUA_REQUIRES(use_);

  // Whoever holds it uses the database's writer connection.
  Mutex use_;
  Database& database_;
  CompletionQueue& completions_;
  const Limits limits_;
  LaneQueue queue_;
  // The lane's own thread's.
  GroupPacer pacer_;
  ShortWrites short_writes_ SKUA_GUARDED_BY(use_);
  bool sync_failed_ SKUA_GUARDED_BY(use_) = false;
  std::thread thread_;
};

}  // namespace skua
