#include "bench/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/statistics.h"

namespace skua::bench {

namespace {

double seconds_of(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_numbers(const std::vector<double>& numbers) {
  return fmt::format("[{:.6g}]", fmt::join(numbers, ","));
}

std::string json_load(const LoadAverage& load) {
  return fmt::format("[{},{},{}]", load.minutes_1, load.minutes_5, load.minutes_15);
}

std::string json_of(const ContestResult& result) {
  std::vector<std::string> contestants;
  std::vector<std::string> ratios;
  for (const ContestantResult& contestant : result.contestants) {
    const LatencyHistogram& latencies = contestant.latencies;
    contestants.push_back(fmt::format(
        R"({{"name":{},"rates":{},"median":{:.6g},"operations":{},"p50_us":{:.6g},"p99_us":{:.6g},"p999_us":{:.6g}}})",
        json_string(contestant.name), json_numbers(contestant.rates), spread_of(contestant.rates).median,
        latencies.count(), latencies.quantile_us(0.5), latencies.quantile_us(0.99),
        latencies.quantile_us(0.999)));
    if (&contestant == &result.contestants.front()) continue;
    const std::vector<double> rounds = result.ratios_to(contestant);
    const Spread spread = spread_of(rounds);
    ratios.push_back(fmt::format(R"({{"peer":{},"rounds":{},"median":{:.6g},"min":{:.6g},"max":{:.6g}}})",
                                 json_string(contestant.name), json_numbers(rounds), spread.median, spread.min,
                                 spread.max));
  }
  return fmt::format(R"({{"name":{},"description":{},"unit":{},"contestants":[{}],"ratios":[{}]}})",
                     json_string(result.workload), json_string(result.description), json_string(result.unit),
                     fmt::join(contestants, ","), fmt::join(ratios, ","));
}

}  // namespace

std::string environment_as_text(const Report& report) {
  const Environment& e = report.environment;
  return fmt::format(
      "{}, {} cores, {:.0f} GiB, {}; a system call costs {:.0f} ns; load {:.2f} {:.2f} {:.2f}\n"
      "skua {} ({} build, {}) with SQLite {}; in-process peers with SQLite {}; databases on {}\n"
      "{} rounds of {:g} s each, {} client{}, seed {}\n",
      e.cpu, e.cores, e.memory_gib, e.kernel, e.syscall_ns, e.load.minutes_1, e.load.minutes_5,
      e.load.minutes_15, report.skua_version, e.build_type, e.compiler, report.skua_sqlite, e.peer_sqlite,
      e.file_system, report.options.rounds, seconds_of(report.options.duration), report.options.clients,
      report.options.clients == 1 ? "" : "s", report.seed);
}

std::string result_as_text(const ContestResult& result, const ContestOptions& options) {
  std::string out = fmt::format("\n{}: {}; {} per second\n", result.workload, result.description, result.unit);
  out +=
      fmt::format("  {:<24}{:>12}{:>14}{:>14}{:>12}{:>12}\n", "", "median", "min", "max", "p50 us", "p99 us");
  for (const ContestantResult& contestant : result.contestants) {
    const Spread spread = spread_of(contestant.rates);
    out += fmt::format("  {:<24}{:>12.0f}{:>14.0f}{:>14.0f}{:>12.1f}{:>12.1f}\n", contestant.name,
                       spread.median, spread.min, spread.max, contestant.latencies.quantile_us(0.5),
                       contestant.latencies.quantile_us(0.99));
  }
  for (std::size_t i = 1; i < result.contestants.size(); ++i) {
    const ContestantResult& peer = result.contestants[i];
    const Spread spread = spread_of(result.ratios_to(peer));
    out +=
        fmt::format("  {} / {}: {:.2f}  ({:.2f} to {:.2f} over {} rounds)\n", result.contestants.front().name,
                    peer.name, spread.median, spread.min, spread.max, options.rounds);
  }
  return out;
}

std::string report_as_json(const Report& report) {
  const Environment& e = report.environment;
  std::vector<std::string> results;
  for (const ContestResult& result : report.results) results.push_back(json_of(result));
  return fmt::format(
      R"({{"environment":{{"cpu":{},"cores":{},"memory_gib":{:.1f},"kernel":{},"file_system":{},"compiler":{},)"
      R"("build_type":{},"syscall_ns":{:.0f},"load_before":{},"load_after":{},"peer_sqlite":{}}},)"
      R"("skua":{{"version":{},"sqlite":{}}},"options":{{"rounds":{},"seconds":{:g},"clients":{},"seed":{}}},)"
      R"("workloads":[{}]}})",
      json_string(e.cpu), e.cores, e.memory_gib, json_string(e.kernel), json_string(e.file_system),
      json_string(e.compiler), json_string(e.build_type), e.syscall_ns, json_load(e.load),
      json_load(report.load_after), json_string(e.peer_sqlite), json_string(report.skua_version),
      json_string(report.skua_sqlite), report.options.rounds, seconds_of(report.options.duration),
      report.options.clients, report.seed, fmt::join(results, ",\n"));
}

}  // namespace skua::bench
