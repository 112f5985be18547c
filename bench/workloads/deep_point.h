// The point select with several requests under way on each connection. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "bench/workload.h"
#include "bench/workloads/bench_setup.h"

namespace skua::bench {

// Every contestant sends `depth` requests in one write, reads all answers, and does that again: so does
// redis-benchmark. A request's latency is from the write to its answer.
Workload deep_point_workload(const BenchSetup& setup, const std::string& name, std::size_t depth);

// Skua's contestant in it: requests that were built beforehand, and responses that are read where they lie.
std::unique_ptr<Contestant> raw_deep_point(const BenchSetup& setup, std::string_view name, std::size_t depth);

}  // namespace skua::bench
