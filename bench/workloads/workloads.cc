#include "bench/workloads/workloads.h"

namespace skua::bench {

const std::vector<WorkloadEntry>& all_workloads() {
  static const std::vector<WorkloadEntry> workloads = {
      {"ping", ping_workload},
      {"point", point_workload},
      {"stream", stream_workload},
      {"insert", insert_workload},
  };
  return workloads;
}

}  // namespace skua::bench
