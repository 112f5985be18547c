// WriterLane: the one thread that writes to a database, and checkpoints it between writes.
//
// Writes that gathered while it was busy are committed together. After a sync that failed it refuses to write: what is on
// the disk is known again only after the file was opened anew.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "daemon/core/completion_queue.h"
#include "daemon/engine/database.h"
#include "daemon/engine/lane_queue.h"
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

 private:
  using Jobs = std::vector<std::unique_ptr<Job>>;

  void run();
  Jobs next_group();
  void run_jobs(const Jobs& jobs);
  // The jobs that are about the file and not about a request's SQL. False if it is none of them.
  bool run_file_job(Job& job);
  void empty_log(Job& job);
  Status copy_slice(Job& job);
  void reserve_log_space();
  void look_for_sync_failure(const Jobs& jobs);
  // From now on nothing is written, if that is what the error means.
  void stop_trusting(const Error& error);

  Database& database_;
  CompletionQueue& completions_;
  const Limits limits_;
  LaneQueue queue_;
  bool sync_failed_ = false;
  std::thread thread_;
};

}  // namespace skua
