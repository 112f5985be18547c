#include "bench/contest.h"

#include <fmt/format.h>

#include <algorithm>

namespace skua::bench {

namespace {

// Adds what is known; a sum of nothing is nothing.
void add_known(std::optional<double>& sum, const std::optional<double>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

}  // namespace

void ContestantResult::add(const Measurement& round) {
  rates.push_back(round.units_per_second);
  fairness.push_back(round.fairness);
  latencies.add(round.latencies);
  operations += round.operations;
  busy += round.busy;
  errors += round.errors;
  if (first_error.empty()) first_error = round.first_error;
  client_cpu_seconds += round.client_cpu_seconds;
  add_known(server_cpu_seconds, round.server_cpu_seconds);
  server_peak_bytes = std::max(server_peak_bytes, round.server_peak_bytes);
}

std::vector<double> ContestResult::ratios_to(const ContestantResult& peer) const {
  const std::vector<double>& own = contestants.front().rates;
  std::vector<double> ratios;
  for (std::size_t round = 0; round < own.size(); ++round) {
    if (peer.rates[round] > 0) ratios.push_back(own[round] / peer.rates[round]);
  }
  return ratios;
}

Result<Contest> Contest::prepare(Workload workload, const ContestOptions& options) {
  auto all = std::move(workload.contestants);
  workload.contestants.clear();
  Contest contest(std::move(workload), options);
  auto& present = contest.workload_.contestants;
  for (auto& contestant : all) {
    const bool is_skua = present.empty();
    const auto& wanted = options.peers;
    const bool is_wanted =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), contestant->name()) != wanted.end();
    if (!is_skua && !is_wanted) continue;
    const Status prepared = contestant->prepare();
    if (prepared) {
      present.push_back(std::move(contestant));
    } else if (is_skua) {
      return prepared.error();
    } else {
      contest.missing_.push_back({std::string(contestant->name()), prepared.error().message});
    }
  }
  return contest;
}

Result<ContestResult> Contest::run(std::size_t clients) {
  ContestResult result{workload_.name, workload_.description, workload_.unit, clients, {}, missing_};
  std::vector<Contestant*> contestants;
  for (const auto& contestant : workload_.contestants) {
    if (!contestant->accepts(clients)) continue;
    contestants.push_back(contestant.get());
    ContestantResult& added = result.contestants.emplace_back();
    added.name = contestant->name();
    added.threads = contestant->thread_count();
  }
  const Turn turn{clients, options_.warm_up, options_.duration};
  const std::size_t count = contestants.size();
  for (std::size_t round = 0; round < options_.rounds; ++round) {
    for (std::size_t place = 0; place < count; ++place) {
      const std::size_t index = round % 2 == 0 ? place : count - 1 - place;
      SKUA_ASSIGN(const Measurement measured, measure_clients(*contestants[index], turn));
      result.contestants[index].add(measured);
    }
  }
  return result;
}

Status Contest::verify() {
  for (const auto& contestant : workload_.contestants) {
    const Status verified = contestant->verify();
    if (verified) continue;
    Error error = verified.error();
    error.message = fmt::format("{}: {}: {}", workload_.name, contestant->name(), error.message);
    return error;
  }
  return {};
}

}  // namespace skua::bench
