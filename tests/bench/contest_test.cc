// Contest: workloads with roles and scenes, done by contestants that need no server.
#include "bench/contest.h"

#include <criterion/criterion.h>

#include <thread>

using namespace skua;
using namespace skua::bench;

namespace {

// Sleeps as long as its scene says; a unit each.
class Sleeper final : public Contestant {
 public:
  explicit Sleeper(std::string_view name) : name_(name) {}

  std::string_view name() const override { return name_; }
  Status prepare() override { return {}; }
  Result<Operation> make_operation(std::size_t client) override { return make_role_operation(0, client); }
  Result<Operation> make_role_operation(std::size_t role, std::size_t client) override {
    if (role == 1 && client == 2) return make_error(ErrorCode::kInternal, "the third of them never works");
    const auto pause = std::chrono::milliseconds(together_ ? 4 : 1);
    return Operation([pause]() -> Result<std::uint64_t> {
      std::this_thread::sleep_for(pause);
      return std::uint64_t{1};
    });
  }
  Status begin_turn(const Scene& scene, std::size_t) override {
    together_ = scene.name == "together";
    return {};
  }
  Result<std::vector<Figure>> end_turn(const Scene&) override {
    return std::vector<Figure>{{"scenes played", "scenes", ++played_, 3}};
  }

 private:
  std::string_view name_;
  bool together_ = false;
  double played_ = 0;
};

Workload two_roles() {
  Workload workload{"sleep", "", "", {}};
  workload.contestants.push_back(std::make_unique<Sleeper>("skua"));
  workload.contestants.push_back(std::make_unique<Sleeper>("peer"));
  workload.roles = {{"deep", "naps"}, {"light", "naps", 0.25}};
  workload.scenes = {{"together", {0, 1}}, {"alone", {0}}};
  workload.goals = {{0, "together", "alone", 2}};
  return workload;
}

ContestOptions quick() {
  ContestOptions options;
  options.rounds = 2;
  options.duration = std::chrono::milliseconds(40);
  return options;
}

ContestResult result_of(Workload workload, std::size_t clients) {
  auto contest = Contest::prepare(std::move(workload), quick());
  cr_assert(contest.has_value());
  auto result = contest->run(clients);
  cr_assert(result.has_value());
  return std::move(*result);
}

}  // namespace

Test(contest, a_role_has_its_share_of_the_clients_and_at_least_one) {
  const Role role{"light", "naps", 0.25};
  cr_assert_eq(role.clients_of(32), 8);
  cr_assert_eq(role.clients_of(1), 1);
}

Test(contest, every_contestant_plays_every_scene_in_every_round) {
  const ContestResult result = result_of(two_roles(), 4);
  cr_assert(result.has_roles());
  cr_assert_eq(result.contestants.size(), 2);
  for (const ContestantResult& contestant : result.contestants) {
    cr_assert_eq(contestant.scenes.size(), 2);
    cr_assert_eq(contestant.scenes[0].roles.size(), 2);
    cr_assert_eq(contestant.scenes[1].roles.size(), 1);
    for (const SceneResult& scene : contestant.scenes) {
      for (const RoleResult& role : scene.roles) {
        cr_assert_eq(role.rates.size(), 2);
        cr_assert_gt(role.operations, 0);
      }
    }
    cr_assert_eq(contestant.find("together", "deep")->clients, 4);
    cr_assert_eq(contestant.find("together", "light")->clients, 1);
    cr_assert_null(contestant.find("alone", "light"));
  }
  cr_assert_eq(result.rate_ratios().size(), 3);
}

Test(contest, a_goal_compares_a_role_in_two_scenes_round_by_round) {
  const ContestResult result = result_of(two_roles(), 2);
  const GoalResult& goal = result.contestants.front().goals.at(0);
  cr_assert_eq(goal.ratios.size(), 2);
  // It sleeps four times as long, but who knows when it is woken.
  for (const double ratio : goal.ratios) cr_assert_gt(ratio, 0);
  cr_assert_str_eq(goal.role.c_str(), "deep");
}

Test(contest, a_goal_holds_up_to_its_ratio_in_the_median) {
  cr_assert((GoalResult{"", "", "", 2, {1, 2, 9}}.holds()));
  cr_assert_not((GoalResult{"", "", "", 2, {1, 2.1, 2.1}}.holds()));
}

Test(contest, a_figure_holds_if_it_holds_in_every_round) {
  const ContestResult result = result_of(two_roles(), 2);
  const SceneResult& together = result.contestants.front().scenes[0];
  // Two scenes in two rounds, once in the one order and once in the other: the first and the fourth.
  cr_assert(together.figures.at(0).values == std::vector<double>({1, 4}));
  cr_assert_not(together.figures.at(0).holds());
  cr_assert(result.contestants.front().scenes[1].figures.at(0).holds());
}

Test(contest, a_client_that_cannot_begin_is_an_error_of_its_own_role) {
  const ContestResult result = result_of(two_roles(), 12);
  const ContestantResult& skua = result.contestants.front();
  cr_assert_eq(skua.find("together", "light")->clients, 3);
  cr_assert_eq(skua.find("together", "light")->errors, 2);  // in each of two rounds
  cr_assert_eq(skua.find("together", "deep")->errors, 0);
  cr_assert_eq(skua.failures(), 2);
}

Test(contest, a_workload_without_roles_has_one_without_a_name) {
  Workload workload{"sleep", "", "naps", {}};
  workload.contestants.push_back(std::make_unique<Sleeper>("skua"));
  const ContestResult result = result_of(std::move(workload), 3);
  cr_assert_not(result.has_roles());
  cr_assert_eq(result.contestants.front().main_role().clients, 3);
  cr_assert_str_eq(result.contestants.front().main_role().unit.c_str(), "naps");
}
