// CoreContext: what every part of core/ shares. Loop thread.
//
// Time comes in here: whoever calls into core/ sets now_us first, so that a simulation can run it on a clock of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/core/executor.h"
#include "daemon/core/janitor.h"
#include "protocol/limits.h"

namespace skua {

// Since the daemon's start.
struct Counters {
  std::uint64_t sessions_total = 0;
  std::uint64_t requests_total = 0;
  std::uint64_t errors_total = 0;
  std::uint64_t rows_bytes_sent = 0;
  std::uint64_t transactions_total = 0;
  std::uint64_t transactions_aborted = 0;
  std::uint64_t requests_cancelled = 0;
  std::uint64_t deadlines_passed = 0;
};

// What core/ has in memory, in bytes.
struct MemoryUse {
  std::uint64_t requests = 0;   // queued or running
  std::uint64_t held = 0;       // responses that wait for credit
  std::uint64_t unsent = 0;     // responses that sessions have taken and sockets have not
  std::uint64_t under_way = 0;  // batches being made
  std::uint64_t responses() const { return held + unsent + under_way; }
};

// The files of streams.
struct SpoolUse {
  std::uint64_t bytes = 0;       // in all of them
  std::uint64_t promised = 0;    // by which slices under way may make them larger
  std::uint32_t filling = 0;     // streams
  std::uint64_t streams_total = 0;
  // Of streams that have ended: to be let go by a thread that has time.
  std::vector<std::shared_ptr<SpoolFile>> dropped{};
};

struct CoreContext {
  // To the executor, which gives each job back once.
  void run_on_reader(std::unique_ptr<Job> job) {
    ++jobs_under_way;
    executor.run_on_reader(std::move(job));
  }
  void run_on_writer(std::unique_ptr<Job> job) {
    ++jobs_under_way;
    executor.run_on_writer(std::move(job));
  }

  Limits limits;
  std::vector<std::string> database_names;
  Executor& executor;
  Janitor janitor;
  Counters counters;
  std::uint64_t now_us = 0;
  // The loop thread does not sleep between events now: the next one is near.
  bool is_awake = false;
  std::size_t jobs_under_way = 0;
  MemoryUse memory{};
  SpoolUse spools{};
  // By database: the requests that wait for its writer and have not ended. Those of them that have a wait_timer.
  std::vector<std::size_t> writes_waiting{};
};

}  // namespace skua
