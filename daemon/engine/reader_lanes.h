// ReaderLanes: the threads that run jobs on reader connections of all databases.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/core/completion_queue.h"
#include "daemon/engine/database.h"
#include "daemon/engine/lane_queue.h"
#include "daemon/engine/stream_pace.h"

namespace skua {

class ReaderLanes {
 public:
  // `short_reads` counts those that the loop thread answers.
  ReaderLanes(std::vector<std::unique_ptr<Database>>& databases, CompletionQueue& completions,
              const std::atomic<std::uint64_t>& short_reads, std::uint32_t threads, std::uint64_t held_bytes_max);
  // Finishes what was pushed.
  ~ReaderLanes();

  void push(std::unique_ptr<Job> job) { queue_.push(std::move(job)); }

 private:
  void run();
  void run_job(Job& job, StreamPace& pace);
  void begin_group(Job& job);

  std::vector<std::unique_ptr<Database>>& databases_;
  CompletionQueue& completions_;
  const std::atomic<std::uint64_t>& short_reads_;
  const std::uint64_t held_bytes_max_;
  LaneQueue queue_;
  std::vector<std::thread> threads_;
};

}  // namespace skua
