#include "bench/contest.h"

#include "bench/client_group.h"

namespace skua::bench {

std::vector<double> ContestResult::ratios_to(const ContestantResult& peer) const {
  const std::vector<double>& own = contestants.front().rates;
  std::vector<double> ratios;
  for (std::size_t round = 0; round < own.size(); ++round) ratios.push_back(own[round] / peer.rates[round]);
  return ratios;
}

Result<ContestResult> run_contest(Workload& workload, const ContestOptions& options) {
  ContestResult result{workload.name, workload.description, workload.unit, {}};
  for (const auto& contestant : workload.contestants) {
    SKUA_TRY(contestant->prepare());
    result.contestants.push_back({std::string(contestant->name()), {}, {}});
  }
  const std::size_t count = workload.contestants.size();
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (std::size_t turn = 0; turn < count; ++turn) {
      const std::size_t index = round % 2 == 0 ? turn : count - 1 - turn;
      SKUA_ASSIGN(const Measurement measured,
                  measure_clients(*workload.contestants[index], options.clients, options.duration));
      result.contestants[index].rates.push_back(measured.units_per_second);
      result.contestants[index].latencies.add(measured.latencies);
    }
  }
  return result;
}

}  // namespace skua::bench
