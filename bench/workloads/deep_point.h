// The point select with several requests under way on each connection. One thread.
#pragma once

#include <cstddef>
#include <string>

#include "bench/workload.h"
#include "bench/workloads/bench_setup.h"

namespace skua::bench {

// Every contestant sends `depth` requests in one write, reads all answers, and does that again: so does
// redis-benchmark. A request's latency is from the write to its answer.
Workload deep_point_workload(const BenchSetup& setup, const std::string& name, std::size_t depth);

}  // namespace skua::bench
