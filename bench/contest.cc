#include "bench/contest.h"

#include <fmt/format.h>

#include <algorithm>

namespace skua::bench {

namespace {

// Adds what is known; a sum of nothing is nothing.
void add_known(std::optional<double>& sum, const std::optional<double>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

// In each round in which the divisor is not 0.
std::vector<double> divide(const std::vector<double>& dividends, const std::vector<double>& divisors) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < std::min(dividends.size(), divisors.size()); ++round) {
    if (divisors[round] > 0) ratios.push_back(dividends[round] / divisors[round]);
  }
  return ratios;
}

}  // namespace

void RoleResult::add(const Measurement& round) {
  rates.push_back(round.units_per_second);
  fairness.push_back(round.fairness);
  p50_us.push_back(round.latencies.quantile_us(0.5));
  p99_us.push_back(round.latencies.quantile_us(0.99));
  latencies.add(round.latencies);
  operations += round.operations;
  busy += round.busy;
  errors += round.errors;
  if (first_error.empty()) first_error = round.first_error;
  client_cpu_seconds += round.client_cpu_seconds;
}

void SceneResult::add(const TurnMeasurement& round, const std::vector<Figure>& round_figures) {
  for (std::size_t i = 0; i < roles.size(); ++i) roles[i].add(round.groups[i]);
  add_known(server_cpu_seconds, round.server_cpu_seconds);
  server_peak_bytes = std::max(server_peak_bytes, round.server_peak_bytes);
  for (const Figure& figure : round_figures) {
    auto known = std::find_if(figures.begin(), figures.end(),
                              [&figure](const FigureResult& other) { return other.name == figure.name; });
    if (known == figures.end()) known = figures.insert(known, {figure.name, figure.unit, figure.most, {}});
    known->values.push_back(figure.value);
  }
}

std::uint64_t SceneResult::operations() const {
  std::uint64_t sum = 0;
  for (const RoleResult& role : roles) sum += role.operations;
  return sum;
}

const RoleResult* ContestantResult::find(std::string_view scene, std::string_view role) const {
  for (const SceneResult& played : scenes) {
    if (played.name != scene) continue;
    for (const RoleResult& result : played.roles) {
      if (result.role == role) return &result;
    }
  }
  return nullptr;
}

std::uint64_t ContestantResult::failures() const {
  std::uint64_t sum = 0;
  for (const SceneResult& scene : scenes) {
    for (const RoleResult& role : scene.roles) sum += role.errors + role.busy;
  }
  return sum;
}

bool ContestResult::has_roles() const {
  return !contestants.empty() && !contestants.front().main_role().role.empty();
}

std::vector<RateRatios> ContestResult::rate_ratios() const {
  std::vector<RateRatios> all;
  for (std::size_t i = 1; i < contestants.size(); ++i) {
    for (const SceneResult& scene : contestants[i].scenes) {
      for (const RoleResult& role : scene.roles) {
        const RoleResult* own = contestants.front().find(role.scene, role.role);
        if (own == nullptr) continue;
        all.push_back({contestants[i].name, role.scene, role.role, divide(own->rates, role.rates)});
      }
    }
  }
  return all;
}

Result<Contest> Contest::prepare(Workload workload, const ContestOptions& options) {
  if (workload.roles.empty()) workload.roles.push_back({"", workload.unit});
  if (workload.scenes.empty()) workload.scenes.push_back({"", {0}});
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

ContestantResult Contest::result_of(const Contestant& contestant, std::size_t clients) const {
  ContestantResult result;
  result.name = contestant.name();
  result.threads = contestant.thread_count();
  for (const Scene& scene : workload_.scenes) {
    SceneResult& played = result.scenes.emplace_back();
    played.name = scene.name;
    for (const std::size_t index : scene.roles) {
      const Role& role = workload_.roles[index];
      RoleResult& added = played.roles.emplace_back();
      added.role = role.name;
      added.scene = scene.name;
      added.unit = role.unit;
      added.clients = result.threads > 0 ? result.threads : role.clients_of(clients);
    }
  }
  return result;
}

Status Contest::take_turn(Contestant& contestant, std::size_t scene_index, std::size_t clients,
                          SceneResult& result) const {
  const Scene& scene = workload_.scenes[scene_index];
  Turn turn{{}, options_.warm_up, options_.duration};
  for (const std::size_t role : scene.roles) turn.groups.push_back({role, workload_.roles[role].clients_of(clients)});
  SKUA_TRY(contestant.begin_turn(scene, clients));
  SKUA_ASSIGN(const TurnMeasurement measured, measure_clients(contestant, turn));
  SKUA_ASSIGN(const std::vector<Figure> figures, contestant.end_turn(scene));
  result.add(measured, figures);
  return {};
}

Result<ContestResult> Contest::run(std::size_t clients) {
  ContestResult result{workload_.name, workload_.description, workload_.unit, clients, {}, missing_, workload_.depth};
  std::vector<Contestant*> contestants;
  for (const auto& contestant : workload_.contestants) {
    if (!contestant->accepts(clients)) continue;
    contestants.push_back(contestant.get());
    result.contestants.push_back(result_of(*contestant, clients));
  }
  const std::size_t scenes = workload_.scenes.size();
  const std::size_t turns = contestants.size() * scenes;
  for (std::size_t round = 0; round < options_.rounds; ++round) {
    for (std::size_t place = 0; place < turns; ++place) {
      const std::size_t index = round % 2 == 0 ? place : turns - 1 - place;
      const std::size_t contestant = index / scenes;
      const std::size_t scene = index % scenes;
      SKUA_TRY(take_turn(*contestants[contestant], scene, clients, result.contestants[contestant].scenes[scene]));
    }
  }
  for (ContestantResult& contestant : result.contestants) contestant.goals = goals_of(contestant);
  return result;
}

std::vector<GoalResult> Contest::goals_of(const ContestantResult& contestant) const {
  std::vector<GoalResult> results;
  for (const LatencyGoal& goal : workload_.goals) {
    const std::string& role = workload_.roles[goal.role].name;
    const RoleResult* over = contestant.find(goal.scene, role);
    const RoleResult* under = contestant.find(goal.base_scene, role);
    SKUA_CHECK(over != nullptr && under != nullptr);
    results.push_back({role, goal.scene, goal.base_scene, goal.ratio_most, divide(over->p99_us, under->p99_us)});
  }
  return results;
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
