// WriterLane: the one thread that writes to a database, and checkpoints it between writes.
#pragma once

#include <memory>
#include <thread>

#include "daemon/core/completion_queue.h"
#include "daemon/engine/database.h"
#include "daemon/engine/lane_queue.h"

namespace skua {

class WriterLane {
 public:
  WriterLane(Database& database, CompletionQueue& completions, std::uint64_t held_bytes_max);
  // Finishes what was pushed.
  ~WriterLane();

  void push(std::unique_ptr<Job> job) { queue_.push(std::move(job)); }

 private:
  void run();

  Database& database_;
  CompletionQueue& completions_;
  const std::uint64_t held_bytes_max_;
  LaneQueue queue_;
  std::thread thread_;
};

}  // namespace skua
