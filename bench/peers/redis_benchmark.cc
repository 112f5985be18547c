#include "bench/peers/redis_benchmark.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <charconv>

#include "bench/peers/piped_program.h"
#include "bench/process_usage.h"
#include "bench/workloads/point_table.h"

namespace skua::bench {

namespace {

// Enough to know how many make a turn.
constexpr std::uint64_t kTrialRequests = 20'000;

// Of all children that were waited for.
double children_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

Result<double> requests_per_second_of(std::string_view csv) {
  constexpr std::string_view kStart = "\"GET\",\"";
  double rate = 0;
  if (const std::size_t at = csv.find(kStart); at != std::string_view::npos) {
    const std::string_view number = csv.substr(at + kStart.size());
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rate);
    if (error == std::errc() && end != number.data() + number.size() && *end == '"' && rate > 0) return rate;
  }
  return make_error(ErrorCode::kProtocol, fmt::format("redis-benchmark said nothing of GET: {}", csv));
}

Status RedisBenchmark::prepare() {
  SKUA_ASSIGN(program_, server_.benchmark_program());
  return fill_point_keys(server_);
}

Result<Operation> RedisBenchmark::make_operation(std::size_t) {
  return make_error(ErrorCode::kUsage, "redis-benchmark has clients of its own");
}

Result<TurnMeasurement> RedisBenchmark::run_turn(const Turn& turn) {
  SKUA_CHECK(turn.groups.size() == 1);
  const std::size_t clients = turn.groups.front().clients;
  SKUA_ASSIGN(const double trial_rate, run(clients, kTrialRequests));
  const double seconds = std::chrono::duration<double>(turn.duration).count();
  const auto requests = static_cast<std::uint64_t>(trial_rate * seconds) + kTrialRequests;
  const pid_t server = server_.pid();
  forget_peak_memory(server);
  const double server_cpu_before = cpu_seconds(server);
  const double client_cpu_before = children_cpu_seconds();
  Measurement clients_measured;
  SKUA_ASSIGN(clients_measured.units_per_second, run(clients, requests));
  clients_measured.operations = requests;
  clients_measured.client_cpu_seconds = children_cpu_seconds() - client_cpu_before;
  TurnMeasurement measured;
  measured.groups.push_back(std::move(clients_measured));
  measured.server_cpu_seconds = cpu_seconds(server) - server_cpu_before;
  measured.server_peak_bytes = peak_memory_bytes(server);
  return measured;
}

Result<double> RedisBenchmark::run(std::size_t clients, std::uint64_t requests) {
  SKUA_ASSIGN(PipedProgram program,
              PipedProgram::start({program_, "-s", server_.socket_path(), "-c", fmt::to_string(clients), "-P",
                                   fmt::to_string(depth_), "-n", fmt::to_string(requests), "-r",
                                   fmt::to_string(kPointRows), "-t", "get", "--csv"}));
  SKUA_ASSIGN(const std::string csv, program.finish());
  return requests_per_second_of(csv);
}

}  // namespace skua::bench
