// The plots of a report: throughput against clients, latency against throughput, and how latencies are distributed.
//
// One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/plot.h"
#include "bench/report.h"

namespace skua::bench {

// One workload with as many clients as were asked for, in each of its contests.
struct WorkloadResults {
  std::string name;
  std::vector<const ContestResult*> contests;  // never empty; by their number of clients
};
std::vector<WorkloadResults> by_workload(const Report& report);

struct LegendEntry {
  std::string name;
  PlotSeries sample;  // its points do not matter
};

struct ReportPlot {
  Plot plot;
  std::vector<LegendEntry> legend;
};
// A contestant has the same colour in all plots of a report.
std::vector<ReportPlot> plots_of(const Report& report, const WorkloadResults& workload);

}  // namespace skua::bench
