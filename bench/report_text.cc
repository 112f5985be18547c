#include <fmt/format.h>

#include "bench/report.h"
#include "bench/report_format.h"
#include "bench/statistics.h"

namespace skua::bench {

namespace {

// What is known of the server belongs to the scene, and stands in its first row.
std::string row_of(const std::string& name, std::size_t name_width, const RoleResult& role, const SceneResult& scene,
                   bool alone) {
  const bool is_first = &role == &scene.roles.front();
  const Spread rate = spread_of(role.rates);
  const LatencyHistogram& latencies = role.latencies;
  return fmt::format("  {:<{}}{:>9.0f}{:>18}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}{:>7}{:>8}{:>8}{:>7}\n", name, name_width,
                     rate.median, fmt::format("{:.0f}-{:.0f}", rate.min, rate.max),
                     quantile_text(latencies, 0.5), quantile_text(latencies, 0.99), quantile_text(latencies, 0.999),
                     quantile_text(latencies, 1),
                     alone ? "-" : fmt::format("{:.2f}", spread_of(role.fairness).median), role.busy, role.errors,
                     is_first ? cpu_text(scene.server_cpu_seconds, scene.operations()) : "",
                     cpu_text(role.client_cpu_seconds, role.operations),
                     is_first ? mebibytes_text(scene.server_peak_bytes) : "");
}

std::string rows_of(const ContestantResult& contestant, std::size_t name_width) {
  std::string out;
  for (const SceneResult& scene : contestant.scenes) {
    for (const RoleResult& role : scene.roles) {
      const std::string part = part_text(role.role, scene.name);
      const std::string name = part.empty() ? name_of(contestant) : fmt::format("{}: {}", name_of(contestant), part);
      out += row_of(name, name_width, role, scene, contestant.threads == 0 && role.clients == 1);
    }
  }
  return out;
}

std::string units_of(const ContestResult& result) {
  if (!result.has_roles()) return result.unit;
  std::string out;
  for_each_role(result, [&out](const RoleResult& role) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", role.role, role.unit);
  });
  return out;
}

std::string figures_of(const ContestantResult& contestant) {
  std::string out;
  for (const SceneResult& scene : contestant.scenes) {
    for (const FigureResult& figure : scene.figures) {
      const Spread spread = spread_of(figure.values);
      out += fmt::format("  {}, {}: {}: {:.4g} {} at most, {:.4g} in the median", contestant.name, scene.name, figure.name,
                         spread.max, figure.unit, spread.median);
      if (figure.most) out += fmt::format("; allowed: {:g}: {}", *figure.most, figure.holds() ? "kept" : "NOT KEPT");
      out += '\n';
    }
  }
  return out;
}

std::string goals_of(const ContestantResult& contestant) {
  std::string out;
  for (const GoalResult& goal : contestant.goals) {
    out += fmt::format("  {}: {}: ", contestant.name, goal_text(goal));
    out += goal.ratios.empty() ? "nothing to compare\n"
                               : fmt::format("{}; the goal is {:g} at most: {}\n", ratios_text(goal.ratios),
                                             goal.ratio_most, goal.holds() ? "kept" : "NOT KEPT");
  }
  return out;
}

}  // namespace

std::string environment_as_text(const Report& report) {
  const Environment& e = report.environment;
  return fmt::format(
      "{}, {} cores, {:.0f} GiB, {}; load {:.2f} {:.2f} {:.2f}\n"
      "a system call costs {:.0f} ns, waking a thread that sleeps {:.0f} us; databases on {}\n"
      "fdatasync of 8 KiB costs {:.0f} us in place, {:.0f} us after an fstat, {:.0f} us where the file grows\n"
      "skua {} ({} build, {}) with SQLite {}; in-process peers with SQLite {}\n"
      "{} of {:g} s for each contestant, after {:g} s of warming up; seed {}\n",
      e.cpu, e.cores, e.memory_gib, e.kernel, e.load.minutes_1, e.load.minutes_5, e.load.minutes_15,
      e.syscall_ns, e.wake_up_us, e.file_system, e.sync.in_place_us, e.sync.after_stat_us, e.sync.growing_us,
      report.skua_version, e.build_type, e.compiler, report.skua_sqlite, e.peer_sqlite,
      counted(report.options.rounds, "round"), seconds_of(report.options.duration), seconds_of(report.options.warm_up), report.seed);
}

std::string legend_as_text() {
  return "fairness: the operations of the slowest client over those of the fastest; busy: operations that "
         "failed with\n"
         "\"database is locked\"; cpu: microseconds for each operation, in the server and in the client; MiB: "
         "the\n"
         "server's resident memory at its peak\n";
}

std::string result_as_text(const ContestResult& result) {
  std::string out = fmt::format("\n{}, {}: {}; {} per second\n", result.workload, clients_text(result),
                                result.description, units_of(result));
  const std::size_t name_width = result.has_roles() ? 40 : 24;
  out += fmt::format("  {:<{}}{:>9}{:>18}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}{:>7}{:>8}{:>8}{:>7}\n", "", name_width,
                     "median", "min-max", "p50", "p99", "p99.9", "max", "fairness", "busy", "errors", "cpu srv",
                     "cpu cli", "MiB");
  for (const ContestantResult& contestant : result.contestants) out += rows_of(contestant, name_width);
  for (const RateRatios& ratios : result.rate_ratios()) {
    const std::string part = part_text(ratios.role, ratios.scene);
    out += fmt::format("  skua / {}{}{}: {}\n", ratios.peer, part.empty() ? "" : ", ", part,
                       ratios.ratios.empty() ? "the peer did nothing" : ratios_text(ratios.ratios));
  }
  for (const ContestantResult& contestant : result.contestants) out += goals_of(contestant);
  for (const ContestantResult& contestant : result.contestants) out += figures_of(contestant);
  for (const ContestantResult& contestant : result.contestants) {
    for (const SceneResult& scene : contestant.scenes) {
      for (const RoleResult& role : scene.roles) {
        if (role.errors == 0) continue;
        const std::string part = part_text(role.role, role.scene);
        out += fmt::format("  {}{}{} failed: {}\n", contestant.name, part.empty() ? "" : ": ", part, role.first_error);
      }
    }
  }
  for (const MissingPeer& peer : result.missing)
    out += fmt::format("  {} is MISSING: {}\n", peer.name, peer.reason);
  return out;
}

}  // namespace skua::bench
