// CoreContext: what every part of core/ shares. Loop thread.
//
// Time comes in here: whoever calls into core/ sets now_us first, so that a simulation can run it on a clock of its own.
#pragma once

#include <cstdint>
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

struct CoreContext {
  Limits limits;
  std::vector<std::string> database_names;
  Executor& executor;
  Janitor janitor;
  Counters counters;
  std::uint64_t now_us = 0;
  // By database: the requests that wait for its writer and have not ended. Those of them that have a wait_timer.
  std::vector<std::size_t> writes_waiting{};
};

}  // namespace skua
