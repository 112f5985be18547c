#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "bench/plot.h"
#include "bench/report.h"
#include "bench/report_format.h"
#include "bench/report_plots.h"
#include "bench/statistics.h"

namespace skua::bench {

namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --ink-soft: #59636e; --grid: #e3e7eb; --band: #f5f7f9;
  --good: #0a6b3d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
:root { --page: #14171b; --ink: #e8ebee; --ink-soft: #a3adb8; --grid: #2c333b; --band: #1b2026; --good: #58c78e; --bad: #ff8a80; }
}
body { background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; margin: 0 auto;
  max-width: 1240px; padding: 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 44px 0 2px; } h3 { font-size: 14px; margin: 22px 0 6px; }
p { margin: 4px 0; } .soft { color: var(--ink-soft); } a { color: var(--c0); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th { color: var(--ink-soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
tr.skua td { background: var(--band); font-weight: 600; }
.environment td { text-align: left; white-space: normal; } .environment th { text-align: left; vertical-align: top; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 20px 28px; margin-top: 18px; }
figure { margin: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 4px 0 0 76px; font-size: 12.5px; }
figcaption span { display: inline-flex; align-items: center; gap: 7px; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
ul { margin: 8px 0; padding-left: 20px; }
)";

// With the sign of micro, which text on a terminal does without.
std::string html_latency(const LatencyHistogram& latencies, double share) {
  std::string text = quantile_text(latencies, share);
  if (text.ends_with(" us")) text.replace(text.size() - 2, 2, "µs");
  return text;
}

std::string environment_of(const Report& report) {
  const Environment& e = report.environment;
  std::string rows;
  const auto add = [&rows](std::string_view name, const std::string& value) {
    rows += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, escaped(value));
  };
  const auto load_text = [](const LoadAverage& load) {
    return fmt::format("{:.2f} {:.2f} {:.2f}", load.minutes_1, load.minutes_5, load.minutes_15);
  };
  add("Machine", fmt::format("{}, {} cores, {:.0f} GiB, {}", e.cpu, e.cores, e.memory_gib, e.kernel));
  add("Load", fmt::format("{} before, {} after (1, 5, 15 minutes)", load_text(e.load), load_text(report.load_after)));
  add("A system call", fmt::format("{:.0f} ns", e.syscall_ns));
  add("Waking a thread", fmt::format("{:.0f} µs", e.wake_up_us));
  add("fdatasync of 8 KiB", fmt::format("{:.0f} µs in place, {:.0f} µs after an fstat, {:.0f} µs where the file grows; on {}",
                                        e.sync.in_place_us, e.sync.after_stat_us, e.sync.growing_us, e.file_system));
  add("Skua", fmt::format("{} ({} build, {}) with SQLite {}", report.skua_version, e.build_type, e.compiler,
                          report.skua_sqlite));
  add("In-process peers", "SQLite " + e.peer_sqlite);
  add("Turns", fmt::format("{} of {:g} s for each contestant, alternated, after {:g} s of warming up; seed {}",
                           counted(report.options.rounds, "round"), seconds_of(report.options.duration),
                           seconds_of(report.options.warm_up), report.seed));
  return "<table class=\"environment\">\n" + rows + "</table>\n";
}

std::string ratio_cell(const std::vector<RateRatios>& all, const ContestantResult& contestant, const RoleResult& role) {
  for (const RateRatios& ratios : all) {
    if (ratios.peer != contestant.name || ratios.scene != role.scene || ratios.role != role.role) continue;
    if (ratios.ratios.empty()) return "the peer did nothing";
    const Spread spread = spread_of(ratios.ratios);
    return fmt::format("{:.2f} <span class=\"soft\">({:.2f}–{:.2f})</span>", spread.median, spread.min, spread.max);
  }
  return "";
}

std::string row_of(const ContestResult& result, const std::vector<RateRatios>& ratios, const ContestantResult& contestant,
                   const SceneResult& scene, const RoleResult& role) {
  const bool is_skua = &contestant == &result.contestants.front();
  const bool is_first = &role == &scene.roles.front();
  const Spread rate = spread_of(role.rates);
  std::string cells;
  const auto add = [&cells](const std::string& text) { cells += fmt::format("<td>{}</td>", text); };
  const std::string part = part_text(role.role, scene.name);
  add(escaped(name_of(contestant) + (part.empty() ? "" : ": " + part)));
  add(fmt::format("{:.0f}", rate.median));
  add(fmt::format("{:.0f}–{:.0f}", rate.min, rate.max));
  for (const double share : {0.5, 0.99, 0.999, 1.0}) add(html_latency(role.latencies, share));
  add(contestant.threads == 0 && role.clients == 1 ? "" : fmt::format("{:.2f}", spread_of(role.fairness).median));
  add(fmt::to_string(role.busy));
  add(role.errors > 0 ? fmt::format("<span class=\"bad\">{}</span>", role.errors) : "0");
  add(is_first ? cpu_text(scene.server_cpu_seconds, scene.operations()) : "");
  add(cpu_text(role.client_cpu_seconds, role.operations));
  add(is_first ? mebibytes_text(scene.server_peak_bytes) : "");
  add(ratio_cell(ratios, contestant, role));
  return fmt::format("<tr{}>{}</tr>\n", is_skua ? " class=\"skua\"" : "", cells);
}

std::string table_of(const ContestResult& result) {
  std::string rows;
  const std::vector<RateRatios> ratios = result.rate_ratios();
  for (const ContestantResult& contestant : result.contestants) {
    for (const SceneResult& scene : contestant.scenes) {
      for (const RoleResult& role : scene.roles) rows += row_of(result, ratios, contestant, scene, role);
    }
  }
  return fmt::format(
      "<h3>{}</h3>\n<div class=\"wide\"><table>\n<tr><th></th><th>{} per s</th><th>min–max</th><th>p50</th><th>p99</th>"
      "<th>p99.9</th><th>max</th><th>fairness</th><th>busy</th><th>errors</th><th>server µs</th><th>client µs</th>"
      "<th>MiB</th><th>skua / peer</th></tr>\n{}</table></div>\n",
      escaped(clients_text(result)), escaped(result.has_roles() ? "units" : result.unit), rows);
}

std::string verdict(bool holds) {
  return holds ? "<span class=\"good\">kept</span>" : "<span class=\"bad\">not kept</span>";
}

// The goals, the figures, the errors, the peers that are missing.
std::string remarks_of(const ContestResult& result) {
  std::string items;
  const auto add = [&items](const std::string& item) { items += "<li>" + item + "</li>\n"; };
  for (const ContestantResult& contestant : result.contestants) {
    const std::string name = escaped(contestant.name);
    for (const GoalResult& goal : contestant.goals) {
      if (goal.ratios.empty()) continue;
      add(fmt::format("{}: {}: {}; the goal is {:g} at most: {}", name, escaped(goal_text(goal)), ratios_text(goal.ratios),
                      goal.ratio_most, verdict(goal.holds())));
    }
    for (const SceneResult& scene : contestant.scenes) {
      for (const FigureResult& figure : scene.figures) {
        const Spread spread = spread_of(figure.values);
        std::string item = fmt::format("{}, {}: {}: {:.4g} {} at most, {:.4g} in the median", name, escaped(scene.name),
                                       escaped(figure.name), spread.max, escaped(figure.unit), spread.median);
        if (figure.most) item += fmt::format("; allowed: {:g}: {}", *figure.most, verdict(figure.holds()));
        add(item);
      }
      for (const RoleResult& role : scene.roles) {
        if (role.errors > 0) add(fmt::format("{} failed: <span class=\"bad\">{}</span>", name, escaped(role.first_error)));
      }
    }
  }
  for (const MissingPeer& peer : result.missing) {
    add(fmt::format("{} is missing: {}", escaped(peer.name), escaped(peer.reason)));
  }
  return items.empty() ? "" : "<ul>\n" + items + "</ul>\n";
}

std::string figure_of(const ReportPlot& plot) {
  std::string legend;
  for (const LegendEntry& entry : plot.legend) {
    legend += fmt::format("<span>{}{}</span>\n", svg_sample(entry.sample), escaped(entry.name));
  }
  return fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", svg_of(plot.plot), legend);
}

}  // namespace

std::string report_as_html(const Report& report) {
  const std::vector<WorkloadResults> workloads = by_workload(report);
  std::string contents;
  std::string sections;
  for (const WorkloadResults& workload : workloads) {
    contents += fmt::format("{}<a href=\"#{}\">{}</a>", contents.empty() ? "" : " · ", escaped(workload.name),
                            escaped(workload.name));
    sections += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n<p class=\"soft\">{}</p>\n", escaped(workload.name),
                            escaped(workload.name), escaped(workload.contests.front()->description));
    for (const ContestResult* contest : workload.contests) sections += table_of(*contest) + remarks_of(*contest);
    sections += "<div class=\"plots\">\n";
    for (const ReportPlot& plot : plots_of(report, workload)) sections += figure_of(plot);
    sections += "</div>\n</section>\n";
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>skua-bench</title>\n"
      "<style>{}{}</style>\n</head>\n<body>\n<h1>skua-bench</h1>\n<p>{}</p>\n{}"
      "<p class=\"soft\">Rates are medians over the rounds, with the lowest and the highest; ratios are made within a round, "
      "and carry over to other machines better than rates. Latencies are of all rounds together. Fairness: the operations of "
      "the slowest client over those of the fastest. Busy: operations that failed with “database is locked”. µs: of the "
      "processor, for each operation. MiB: the server's resident memory at its peak.</p>\n{}</body>\n</html>\n",
      kStyle, plot_style(), contents, environment_of(report), sections);
}

}  // namespace skua::bench
