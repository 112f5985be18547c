// The workloads by name. A workload refers to the setup it was made with.
#pragma once

#include <string>
#include <vector>

#include "bench/workload.h"
#include "bench/workloads/bench_setup.h"

namespace skua::bench {

// The empty round trip.
Workload ping_workload(const BenchSetup& setup);
// One row of four columns by its key.
Workload point_workload(const BenchSetup& setup);
// A million rows of four columns, every value read.
Workload stream_workload(const BenchSetup& setup);
// One row, durable, each in a transaction of its own.
Workload insert_workload(const BenchSetup& setup);
// The transaction of TPC-B, durable.
Workload tpcb_workload(const BenchSetup& setup);
// A column of one row by its key, durable.
Workload update_workload(const BenchSetup& setup);
// Reads, durable writes and streams at once, and each alone.
Workload mixed_workload(const BenchSetup& setup);

struct WorkloadEntry {
  const char* name;
  const char* what;                  // for --help
  std::vector<std::size_t> clients;  // how many there are unless --clients says otherwise; a contest for each
  Workload (*make)(const BenchSetup& setup);
};
const std::vector<WorkloadEntry>& all_workloads();

}  // namespace skua::bench
