#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report.h"
#include "bench/report_format.h"
#include "bench/statistics.h"

namespace skua::bench {

namespace {

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

std::string json_of(const LatencyPoint& point);
std::string json_of(const RoleResult& role);
std::string json_of(const FigureResult& figure);
std::string json_of(const SceneResult& scene);
std::string json_of(const GoalResult& goal);
std::string json_of(const ContestantResult& contestant);
std::string json_of(const RateRatios& ratios);
std::string json_of(const MissingPeer& peer);
std::string json_of(const ContestResult& result);

// A list of what json_of makes of each.
template <class T>
std::string json_list(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(json_of(value));
  return fmt::format("[{}]", fmt::join(texts, ","));
}

std::string json_of(const LatencyPoint& point) { return fmt::format("[{:.6g},{:.6g}]", point.share, point.us); }

std::string json_of(const RoleResult& role) {
  const LatencyHistogram& latencies = role.latencies;
  return fmt::format(
      R"({{"role":{},"unit":{},"clients":{},"rates":{},"median":{:.6g},"operations":{},"busy":{},"errors":{},)"
      R"("first_error":{},"p50_us":{:.6g},"p99_us":{:.6g},"p999_us":{:.6g},"max_us":{:.6g},"p50_us_rounds":{},)"
      R"("p99_us_rounds":{},"latency_distribution":{},"fairness":{},"client_cpu_seconds":{:.6g}}})",
      json_string(role.role), json_string(role.unit), role.clients, json_numbers(role.rates),
      spread_of(role.rates).median, role.operations, role.busy, role.errors, json_string(role.first_error),
      latencies.quantile_us(0.5), latencies.quantile_us(0.99), latencies.quantile_us(0.999), latencies.max_us(),
      json_numbers(role.p50_us), json_numbers(role.p99_us), json_list(distribution_of(latencies)),
      json_numbers(role.fairness), role.client_cpu_seconds);
}

std::string json_of(const FigureResult& figure) {
  return fmt::format(R"({{"name":{},"unit":{},"rounds":{},"most":{},"holds":{}}})", json_string(figure.name),
                     json_string(figure.unit), json_numbers(figure.values), json_number(figure.most), figure.holds());
}

std::string json_of(const SceneResult& scene) {
  return fmt::format(R"({{"scene":{},"roles":{},"server_cpu_seconds":{},"server_peak_bytes":{},"figures":{}}})",
                     json_string(scene.name), json_list(scene.roles), json_number(scene.server_cpu_seconds),
                     scene.server_peak_bytes ? fmt::to_string(*scene.server_peak_bytes) : "null",
                     json_list(scene.figures));
}

std::string json_ratios(const std::vector<double>& ratios) {
  const Spread spread = spread_of(ratios);
  return fmt::format(R"("rounds":{},"median":{:.6g},"min":{:.6g},"max":{:.6g})", json_numbers(ratios), spread.median,
                     spread.min, spread.max);
}

std::string json_of(const GoalResult& goal) {
  return fmt::format(R"({{"role":{},"scene":{},"base_scene":{},{},"most":{:g},"holds":{}}})", json_string(goal.role),
                     json_string(goal.scene), json_string(goal.base_scene), json_ratios(goal.ratios), goal.ratio_most,
                     goal.holds());
}

std::string json_of(const ContestantResult& contestant) {
  return fmt::format(R"({{"name":{},"threads":{},"scenes":{},"goals":{}}})", json_string(contestant.name),
                     contestant.threads, json_list(contestant.scenes), json_list(contestant.goals));
}

std::string json_of(const RateRatios& ratios) {
  return fmt::format(R"({{"peer":{},"scene":{},"role":{},{}}})", json_string(ratios.peer), json_string(ratios.scene),
                     json_string(ratios.role), json_ratios(ratios.ratios));
}

std::string json_of(const MissingPeer& peer) {
  return fmt::format(R"({{"name":{},"reason":{}}})", json_string(peer.name), json_string(peer.reason));
}

std::string json_of(const ContestResult& result) {
  return fmt::format(
      R"({{"name":{},"description":{},"unit":{},"clients":{},"depth":{},"contestants":{},"ratios":{},"missing":{}}})",
      json_string(result.workload), json_string(result.description), json_string(result.unit), result.clients,
      result.depth, json_list(result.contestants), json_list(result.rate_ratios()), json_list(result.missing));
}

}  // namespace

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
      json_load(report.load_after), e.sync.in_place_us, e.sync.after_stat_us, e.sync.growing_us,
      json_string(e.peer_sqlite), json_string(report.skua_version),
      json_string(report.skua_sqlite), report.options.rounds, seconds_of(report.options.duration),
      seconds_of(report.options.warm_up), report.seed, report.scale, fmt::join(results, ",\n"));
}

}  // namespace skua::bench
