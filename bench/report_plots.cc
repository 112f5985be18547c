#include "bench/report_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/report_format.h"
#include "bench/statistics.h"

namespace skua::bench {

namespace {

// "20 µs", "5 ms".
std::string latency_tick(double us) {
  if (us < 1'000) return fmt::format("{:.3g} µs", us);
  if (us < 1'000'000) return fmt::format("{:.3g} ms", us / 1'000);
  return fmt::format("{:.3g} s", us / 1'000'000);
}

struct Range {
  double min = 0;
  double max = 0;
};

// Of what is positive. {1, 1} if nothing is.
Range range_of(const std::vector<PlotSeries>& series, double PlotPoint::*low, double PlotPoint::*high) {
  Range range{0, 0};
  for (const PlotSeries& one : series) {
    for (const PlotPoint& point : one.points) {
      if (point.*low > 0) range.min = range.min > 0 ? std::min(range.min, point.*low) : point.*low;
      range.max = std::max(range.max, point.*high);
    }
  }
  return range.min > 0 ? range : Range{1, std::max(1.0, range.max)};
}

class Palette {
 public:
  explicit Palette(const Report& report) {
    for (const ContestResult& contest : report.results) {
      for (const ContestantResult& contestant : contest.contestants) {
        if (std::find(names_.begin(), names_.end(), contestant.name) == names_.end()) names_.push_back(contestant.name);
      }
    }
  }
  std::size_t colour_of(const std::string& name) const {
    return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
  }

 private:
  std::vector<std::string> names_;
};

// The contestants of a workload in the order in which its contests have them first.
std::vector<std::string> names_of(const WorkloadResults& workload) {
  std::vector<std::string> names;
  for (const ContestResult* contest : workload.contests) {
    for (const ContestantResult& contestant : contest->contestants) {
      if (std::find(names.begin(), names.end(), contestant.name) == names.end()) names.push_back(contestant.name);
    }
  }
  return names;
}

// Calls take(contest, role) for each contest that the contestant was in.
template <class Take>
void for_each_contest(const WorkloadResults& workload, const std::string& name, Take&& take) {
  for (const ContestResult* contest : workload.contests) {
    for (const ContestantResult& contestant : contest->contestants) {
      if (contestant.name == name) take(*contest, contestant.main_role());
    }
  }
}

ReportPlot throughput_against_clients(const Palette& palette, const WorkloadResults& workload) {
  ReportPlot result;
  result.plot.title = workload.name + ": throughput against clients";
  for (const std::string& name : names_of(workload)) {
    PlotSeries series{palette.colour_of(name), 0, true, {}};
    for_each_contest(workload, name, [&](const ContestResult& contest, const RoleResult& role) {
      const Spread rate = spread_of(role.rates);
      series.points.push_back({static_cast<double>(contest.clients), rate.median, rate.min, rate.max, "",
                               fmt::format("{}, {}: {:.0f} per second ({:.0f} to {:.0f})", name, clients_text(contest),
                                           rate.median, rate.min, rate.max)});
    });
    result.legend.push_back({name, series});
    result.plot.series.push_back(std::move(series));
  }
  const Range rates = range_of(result.plot.series, &PlotPoint::y_min, &PlotPoint::y_max);
  result.plot.y = axis_for(workload.contests.front()->unit + " per second", rates.min, rates.max, short_number);
  Axis& clients = result.plot.x;
  clients.title = "clients";
  clients.logarithmic = true;
  for (const ContestResult* contest : workload.contests) {
    clients.ticks.push_back({static_cast<double>(contest->clients), fmt::to_string(contest->clients)});
  }
  // A little room beside the first and the last.
  clients.min = clients.ticks.front().at / 1.15;
  clients.max = clients.ticks.back().at * 1.15;
  return result;
}

PlotPoint latency_point(const ContestResult& contest, const RoleResult& role, const std::string& name, bool median) {
  const Spread rate = spread_of(role.rates);
  const Spread latency = spread_of(median ? role.p50_us : role.p99_us);
  return {rate.median, latency.median, latency.min, latency.max, median ? "" : fmt::to_string(contest.clients),
          fmt::format("{}, {}: {} {} at {:.0f} per second", name, clients_text(contest), median ? "p50" : "p99",
                      latency_text(latency.median), rate.median)};
}

ReportPlot latency_against_throughput(const Palette& palette, const WorkloadResults& workload) {
  ReportPlot result;
  result.plot.title = workload.name + ": latency against throughput";
  for (const std::string& name : names_of(workload)) {
    PlotSeries p50{palette.colour_of(name), 0, true, {}};
    PlotSeries p99{palette.colour_of(name), 1, true, {}};
    for_each_contest(workload, name, [&](const ContestResult& contest, const RoleResult& role) {
      if (role.latencies.count() == 0) return;
      p50.points.push_back(latency_point(contest, role, name, true));
      p99.points.push_back(latency_point(contest, role, name, false));
    });
    if (p50.points.empty()) continue;
    result.legend.push_back({name + ", p50", p50});
    result.legend.push_back({name + ", p99", p99});
    result.plot.series.push_back(std::move(p50));
    result.plot.series.push_back(std::move(p99));
  }
  const Range rates = range_of(result.plot.series, &PlotPoint::x, &PlotPoint::x);
  const Range latencies = range_of(result.plot.series, &PlotPoint::y_min, &PlotPoint::y_max);
  result.plot.x = axis_for(workload.contests.front()->unit + " per second; beside the points: clients", rates.min, rates.max,
                           short_number);
  result.plot.y = logarithmic_axis("latency", latencies.min, latencies.max, latency_tick);
  return result;
}

// Shares are drawn by what is left of 1: at 1 for all, 10 for the tenth that is slowest, and so on.
Axis share_axis(double rest_min) {
  Axis axis{"share of the operations that were at least as fast", true, 1, 1 / rest_min, {}};
  for (const char* label : {"0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"}) {
    const double at = axis.ticks.empty() ? 1 : axis.ticks.back().at * 10;
    if (at > axis.max) break;
    axis.ticks.push_back({at, label});
  }
  return axis;
}

PlotSeries distribution_series(std::size_t colour, std::size_t dash, const RoleResult& role) {
  PlotSeries series{colour, dash, false, {}};
  const std::vector<LatencyPoint> points = distribution_of(role.latencies);
  for (std::size_t i = 0; i < points.size(); ++i) {
    // The slowest one of all stands where the share without it ends.
    const double rest = i + 1 < points.size() ? 1 - points[i].share : 1 / static_cast<double>(role.latencies.count());
    series.points.push_back({1 / rest, points[i].us, points[i].us, points[i].us, "", ""});
  }
  return series;
}

ReportPlot finished_distribution(ReportPlot result) {
  const Range rests = range_of(result.plot.series, &PlotPoint::x, &PlotPoint::x);
  const Range latencies = range_of(result.plot.series, &PlotPoint::y, &PlotPoint::y);
  result.plot.x = share_axis(1 / std::max(10.0, rests.max));
  result.plot.y = logarithmic_axis("latency", latencies.min, latencies.max, latency_tick);
  return result;
}

ReportPlot distribution_of_contest(const Palette& palette, const ContestResult& contest) {
  ReportPlot result;
  result.plot.title = fmt::format("{}: latencies with {}", contest.workload, clients_text(contest));
  for (const ContestantResult& contestant : contest.contestants) {
    if (contestant.main_role().latencies.count() == 0) continue;
    PlotSeries series = distribution_series(palette.colour_of(contestant.name), 0, contestant.main_role());
    result.legend.push_back({name_of(contestant), series});
    result.plot.series.push_back(std::move(series));
  }
  return finished_distribution(std::move(result));
}

// A role of all contestants, in each scene that has it.
ReportPlot distribution_of_role(const Palette& palette, const ContestResult& contest, const RoleResult& of) {
  ReportPlot result;
  result.plot.title = fmt::format("{}: latencies of {}, {}", contest.workload, of.role, counted(of.clients, "client"));
  for (const ContestantResult& contestant : contest.contestants) {
    std::size_t dash = 0;
    for (const SceneResult& scene : contestant.scenes) {
      for (const RoleResult& role : scene.roles) {
        if (role.role != of.role || role.latencies.count() == 0) continue;
        PlotSeries series = distribution_series(palette.colour_of(contestant.name), dash++, role);
        result.legend.push_back({fmt::format("{}, {}", contestant.name, scene.name), series});
        result.plot.series.push_back(std::move(series));
      }
    }
  }
  return finished_distribution(std::move(result));
}

}  // namespace

std::vector<WorkloadResults> by_workload(const Report& report) {
  std::vector<WorkloadResults> all;
  for (const ContestResult& contest : report.results) {
    if (contest.contestants.empty()) continue;
    auto known = std::find_if(all.begin(), all.end(),
                              [&contest](const WorkloadResults& one) { return one.name == contest.workload; });
    if (known == all.end()) known = all.insert(known, {contest.workload, {}});
    known->contests.push_back(&contest);
  }
  for (WorkloadResults& workload : all) {
    std::sort(workload.contests.begin(), workload.contests.end(),
              [](const ContestResult* a, const ContestResult* b) { return a->clients < b->clients; });
  }
  return all;
}

std::vector<ReportPlot> plots_of(const Report& report, const WorkloadResults& workload) {
  const Palette palette(report);
  std::vector<ReportPlot> plots;
  if (!workload.contests.front()->has_roles()) {
    if (workload.contests.size() > 1) plots.push_back(throughput_against_clients(palette, workload));
    plots.push_back(latency_against_throughput(palette, workload));
  }
  for (const ContestResult* contest : workload.contests) {
    if (!contest->has_roles()) {
      plots.push_back(distribution_of_contest(palette, *contest));
      continue;
    }
    for_each_role(*contest, [&](const RoleResult& role) {
      plots.push_back(distribution_of_role(palette, *contest, role));
    });
  }
  return plots;
}

}  // namespace skua::bench
