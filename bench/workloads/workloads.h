// The workloads by name. A workload refers to the setup it was made with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/workload.h"
#include "bench/workloads/bench_setup.h"
#include "bench/workloads/ycsb_table.h"

namespace skua::bench {

// The empty round trip.
Workload ping_workload(const BenchSetup& setup);
// One row of four columns by its key.
Workload point_workload(const BenchSetup& setup);
// The same with several requests in flight on each connection.
Workload pipeline_workload(const BenchSetup& setup);
// A hundred rows by a range of their key.
Workload range_workload(const BenchSetup& setup);
// One row of aggregates over a million rows.
Workload scan_workload(const BenchSetup& setup);
// A million rows of four columns, every value read: each column of one type; one of several; with NULLs.
Workload stream_workload(const BenchSetup& setup);
Workload stream_mixed_workload(const BenchSetup& setup);
Workload stream_nulls_workload(const BenchSetup& setup);
// The first of a million rows.
Workload first_row_workload(const BenchSetup& setup);
// What the coroutine engine costs: point selects by many coroutines; a stream row by row.
Workload coroutines_workload(const BenchSetup& setup);
Workload generator_workload(const BenchSetup& setup);
// A session for one query.
Workload connect_workload(const BenchSetup& setup);
// One row, durable, each in a transaction of its own.
Workload insert_workload(const BenchSetup& setup);
// The transaction of TPC-B, durable.
Workload tpcb_workload(const BenchSetup& setup);
// A column of one row by its key, durable.
Workload update_workload(const BenchSetup& setup);
// Reads, durable writes and streams at once, and each alone.
Workload mixed_workload(const BenchSetup& setup);
// Reads by key among many sessions that do nothing.
Workload many_idle_workload(const BenchSetup& setup);
// Reads and writes beside streams whose clients are slow.
Workload slow_consumers_workload(const BenchSetup& setup);
// One of the core workloads of Yahoo's benchmark.
Workload ycsb_workload(const BenchSetup& setup, const YcsbMix& mix);

struct WorkloadEntry {
  std::string name;
  std::string what;                  // for --help
  std::vector<std::size_t> clients;  // how many there are unless --clients says otherwise; a contest for each
  std::function<Workload(const BenchSetup& setup)> make;
  std::size_t depth = 0;  // requests in flight per connection unless --depth says otherwise; 0: always one
};
const std::vector<WorkloadEntry>& all_workloads();

}  // namespace skua::bench
