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

std::string json_number(const std::optional<double>& number) {
  return number ? fmt::format("{:.6g}", *number) : "null";
}

std::string json_of(const ContestantResult& contestant) {
  const LatencyHistogram& latencies = contestant.latencies;
  return fmt::format(
      R"({{"name":{},"threads":{},"rates":{},"median":{:.6g},"operations":{},"busy":{},"errors":{},)"
      R"("first_error":{},"p50_us":{:.6g},"p99_us":{:.6g},"p999_us":{:.6g},"max_us":{:.6g},"fairness":{},)"
      R"("client_cpu_seconds":{:.6g},"server_cpu_seconds":{},"server_peak_bytes":{}}})",
      json_string(contestant.name), contestant.threads, json_numbers(contestant.rates),
      spread_of(contestant.rates).median, contestant.operations, contestant.busy, contestant.errors,
      json_string(contestant.first_error), latencies.quantile_us(0.5), latencies.quantile_us(0.99),
      latencies.quantile_us(0.999), latencies.max_us(), json_numbers(contestant.fairness),
      contestant.client_cpu_seconds, json_number(contestant.server_cpu_seconds),
      contestant.server_peak_bytes ? fmt::to_string(*contestant.server_peak_bytes) : "null");
}

std::string json_of(const ContestResult& result) {
  std::vector<std::string> contestants;
  std::vector<std::string> ratios;
  std::vector<std::string> missing;
  for (const ContestantResult& contestant : result.contestants) {
    contestants.push_back(json_of(contestant));
    if (&contestant == &result.contestants.front()) continue;
    const std::vector<double> rounds = result.ratios_to(contestant);
    const Spread spread = spread_of(rounds);
    ratios.push_back(fmt::format(R"({{"peer":{},"rounds":{},"median":{:.6g},"min":{:.6g},"max":{:.6g}}})",
                                 json_string(contestant.name), json_numbers(rounds), spread.median, spread.min,
                                 spread.max));
  }
  for (const MissingPeer& peer : result.missing) {
    missing.push_back(
        fmt::format(R"({{"name":{},"reason":{}}})", json_string(peer.name), json_string(peer.reason)));
  }
  return fmt::format(
      R"({{"name":{},"description":{},"unit":{},"clients":{},"contestants":[{}],"ratios":[{}],"missing":[{}]}})",
      json_string(result.workload), json_string(result.description), json_string(result.unit), result.clients,
      fmt::join(contestants, ","), fmt::join(ratios, ","), fmt::join(missing, ","));
}

// In the unit that leaves three digits or fewer before the point.
std::string latency(double us) {
  if (us < 1'000) return fmt::format("{:.0f} us", us);
  if (us < 1'000'000) return fmt::format("{:.{}f} ms", us / 1'000, us < 10'000 ? 1 : 0);
  return fmt::format("{:.1f} s", us / 1'000'000);
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Microseconds for each operation.
std::string cpu(std::optional<double> seconds, std::uint64_t operations) {
  if (!seconds || operations == 0) return "-";
  return fmt::format("{:.0f}", *seconds * 1e6 / static_cast<double>(operations));
}

std::string row_of(const ContestantResult& contestant, std::size_t clients) {
  const Spread rate = spread_of(contestant.rates);
  const LatencyHistogram& latencies = contestant.latencies;
  const std::string name =
      contestant.threads > 0 ? fmt::format("{} ({})", contestant.name, contestant.threads) : contestant.name;
  const bool alone = contestant.threads == 0 && clients == 1;
  return fmt::format(
      "  {:<24}{:>9.0f}{:>18}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}{:>7}{:>8}{:>8}{:>7}\n", name, rate.median,
      fmt::format("{:.0f}-{:.0f}", rate.min, rate.max), latency(latencies.quantile_us(0.5)),
      latency(latencies.quantile_us(0.99)), latency(latencies.quantile_us(0.999)), latency(latencies.max_us()),
      alone ? "-" : fmt::format("{:.2f}", spread_of(contestant.fairness).median), contestant.busy,
      contestant.errors, cpu(contestant.server_cpu_seconds, contestant.operations),
      cpu(contestant.client_cpu_seconds, contestant.operations),
      contestant.server_peak_bytes
          ? fmt::format("{:.0f}", static_cast<double>(*contestant.server_peak_bytes) / (1 << 20))
          : "-");
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
      report.skua_version, e.build_type, e.compiler, report.skua_sqlite, e.peer_sqlite, counted(report.options.rounds, "round"),
      seconds_of(report.options.duration), seconds_of(report.options.warm_up), report.seed);
}

std::string legend_as_text() {
  return "fairness: the operations of the slowest client over those of the fastest; busy: operations that "
         "failed with\n"
         "\"database is locked\"; cpu: microseconds for each operation, in the server and in the client; MiB: "
         "the\n"
         "server's resident memory at its peak\n";
}

std::string result_as_text(const ContestResult& result) {
  std::string out = fmt::format("\n{}, {}: {}; {} per second\n", result.workload,
                                counted(result.clients, "client"), result.description, result.unit);
  out += fmt::format("  {:<24}{:>9}{:>18}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}{:>7}{:>8}{:>8}{:>7}\n", "", "median",
                     "min-max", "p50", "p99", "p99.9", "max", "fairness", "busy", "errors", "cpu srv",
                     "cpu cli", "MiB");
  for (const ContestantResult& contestant : result.contestants) out += row_of(contestant, result.clients);
  for (std::size_t i = 1; i < result.contestants.size(); ++i) {
    const ContestantResult& peer = result.contestants[i];
    const std::vector<double> ratios = result.ratios_to(peer);
    const Spread spread = spread_of(ratios);
    out += fmt::format("  skua / {}: ", peer.name);
    out += ratios.empty() ? "the peer did nothing\n"
                          : fmt::format("{:.2f}  ({:.2f} to {:.2f} over {})\n", spread.median, spread.min,
                                        spread.max, counted(ratios.size(), "round"));
  }
  for (const ContestantResult& contestant : result.contestants) {
    if (contestant.errors > 0) out += fmt::format("  {} failed: {}\n", contestant.name, contestant.first_error);
  }
  for (const MissingPeer& peer : result.missing)
    out += fmt::format("  {} is MISSING: {}\n", peer.name, peer.reason);
  return out;
}

std::string report_as_json(const Report& report) {
  const Environment& e = report.environment;
  std::vector<std::string> results;
  for (const ContestResult& result : report.results) results.push_back(json_of(result));
  return fmt::format(
      R"({{"environment":{{"cpu":{},"cores":{},"memory_gib":{:.1f},"kernel":{},"file_system":{},"compiler":{},)"
      R"("build_type":{},"syscall_ns":{:.0f},"wake_up_us":{:.1f},"load_before":{},"load_after":{},)"
      R"("fdatasync_us":{{"in_place":{:.1f},"after_stat":{:.1f},"growing":{:.1f}}},)"
      R"("peer_sqlite":{}}},"skua":{{"version":{},"sqlite":{}}},)"
      R"("options":{{"rounds":{},"seconds":{:g},"warm_up_seconds":{:g},"seed":{},"scale":{}}},"contests":[{}]}})",
      json_string(e.cpu), e.cores, e.memory_gib, json_string(e.kernel), json_string(e.file_system),
      json_string(e.compiler), json_string(e.build_type), e.syscall_ns, e.wake_up_us, json_load(e.load),
      json_load(report.load_after), e.sync.in_place_us, e.sync.after_stat_us, e.sync.growing_us, json_string(e.peer_sqlite), json_string(report.skua_version),
      json_string(report.skua_sqlite), report.options.rounds, seconds_of(report.options.duration),
      seconds_of(report.options.warm_up), report.seed, report.scale, fmt::join(results, ",\n"));
}

}  // namespace skua::bench
