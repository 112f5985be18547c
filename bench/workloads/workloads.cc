#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

std::vector<WorkloadEntry> make_list() {
  std::vector<WorkloadEntry> workloads = {
      {"ping", "a request that does nothing", {1, 8, 32}, ping_workload},
      {"point", "one row of four columns by its key", {1, 8, 32}, point_workload, 1},
      {"pipeline", "the same, 16 requests in flight on each connection", {1}, pipeline_workload, 16},
      {"range", "a hundred rows by a range of their key", {1, 8}, range_workload},
      {"scan", "one row of aggregates over a million rows", {1}, scan_workload},
      {"stream", "a million rows of four columns, every value read", {1}, stream_workload},
      {"stream-mixed", "the same, a column with integers, reals and texts", {1}, stream_mixed_workload},
      {"stream-nulls", "the same, NULLs in three columns", {1}, stream_nulls_workload},
      {"first-row", "from the request for a million rows to the first of them", {1}, first_row_workload},
      {"coroutines", "point selects by 64 coroutines of the engine on one thread", {1}, coroutines_workload, 64},
      {"generator", "a million rows by the engine, row by row and by batches", {1}, generator_workload},
      {"connect", "connect, one row by its key, disconnect", {1, 8}, connect_workload},
      {"insert", "one row, durable, each in a transaction of its own", {1, 8, 32, 64}, insert_workload},
      {"update", "a column of one row by its key, durable", {1, 8, 32}, update_workload},
      {"tpcb", "the transaction of TPC-B, durable, in one round trip where that can be", {32}, tpcb_workload},
      {"mixed", "32 read, 8 write durably and 2 stream, at once and each alone", {32}, mixed_workload},
      {"many-idle", "256 read among 1,000 sessions that do nothing, and alone", {256}, many_idle_workload},
      {"slow-consumers",
       "8 read and 4 write durably beside 256 slow streams, and without those",
       {256},
       slow_consumers_workload},
  };
  for (const YcsbMix& mix : kYcsbMixes) {
    workloads.push_back({std::string("ycsb-") + mix.letter,
                         mix.what,
                         {1, 8, 32},
                         [&mix](const BenchSetup& setup) { return ycsb_workload(setup, mix); }});
  }
  return workloads;
}

}  // namespace

const std::vector<WorkloadEntry>& all_workloads() {
  static const std::vector<WorkloadEntry> workloads = make_list();
  return workloads;
}

}  // namespace skua::bench
