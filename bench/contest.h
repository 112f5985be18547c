// Contest: the rounds of one workload. Every round has each contestant once in each scene, in turns from the front and from
// the back, so that what changes on the machine meanwhile hits all of them; figures are compared within a round only.
//
// One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/client_group.h"
#include "bench/measurement.h"
#include "bench/statistics.h"
#include "bench/workload.h"

namespace skua::bench {

struct ContestOptions {
  std::size_t rounds = 5;
  std::chrono::nanoseconds warm_up{};   // before each turn
  std::chrono::nanoseconds duration{};  // of one contestant in one round
  std::vector<std::string> peers;       // that take part; empty: all
};

// What the clients of one role did in one scene. A workload without roles has one role and one scene, without names.
struct RoleResult {
  std::string role;
  std::string scene;
  std::string unit;  // plural
  std::size_t clients = 1;
  // Round by round.
  std::vector<double> rates;  // units per second
  std::vector<double> fairness;
  std::vector<double> p50_us;
  std::vector<double> p99_us;
  // Of all rounds together.
  LatencyHistogram latencies;
  std::uint64_t operations = 0;
  std::uint64_t busy = 0;
  std::uint64_t errors = 0;
  std::string first_error;
  double client_cpu_seconds = 0;

  void add(const Measurement& round);
};

// A figure of a scene, round by round.
struct FigureResult {
  std::string name;
  std::string unit;
  std::optional<double> most;
  std::vector<double> values;

  bool holds() const { return !most || spread_of(values).max <= *most; }
};

struct SceneResult {
  std::string name;
  std::vector<RoleResult> roles;  // of those that are in it
  std::optional<double> server_cpu_seconds;
  std::optional<std::uint64_t> server_peak_bytes;
  std::vector<FigureResult> figures;

  void add(const TurnMeasurement& round, const std::vector<Figure>& round_figures);
  std::uint64_t operations() const;
};

// A LatencyGoal, and how far a contestant is from it.
struct GoalResult {
  std::string role;
  std::string scene;
  std::string base_scene;
  double ratio_most = 0;
  std::vector<double> ratios;  // round by round, of those rounds in which the base did anything

  bool holds() const { return spread_of(ratios).median <= ratio_most; }
};

struct ContestantResult {
  std::string name;
  std::size_t threads = 0;          // 0: its clients were processes
  std::vector<SceneResult> scenes;  // at least one, with one role
  std::vector<GoalResult> goals;

  const RoleResult& main_role() const { return scenes.front().roles.front(); }
  // Nothing if it does not play it.
  const RoleResult* find(std::string_view scene, std::string_view role) const;
  std::uint64_t failures() const;
};

struct MissingPeer {
  std::string name;
  std::string reason;
};

// The rates of Skua over those of a peer in the same role of the same scene, in each round in which the peer did anything.
struct RateRatios {
  std::string peer;
  std::string scene;
  std::string role;
  std::vector<double> ratios;
};

struct ContestResult {
  std::string workload;
  std::string description;
  std::string unit;
  std::size_t clients = 1;
  std::vector<ContestantResult> contestants;  // Skua is the first
  std::vector<MissingPeer> missing;
  std::size_t depth = 1;  // requests that each client had in flight

  bool has_roles() const;
  std::vector<RateRatios> rate_ratios() const;
};

class Contest {
 public:
  // Prepares the contestants. Fails if Skua cannot be prepared; a peer that cannot is missing.
  static Result<Contest> prepare(Workload workload, const ContestOptions& options);

  Result<ContestResult> run(std::size_t clients);
  // After the last run. Fails if any contestant's data is not what it must be.
  Status verify();

 private:
  Contest(Workload workload, const ContestOptions& options)
      : workload_(std::move(workload)), options_(options) {}
  ContestantResult result_of(const Contestant& contestant, std::size_t clients) const;
  Status take_turn(Contestant& contestant, std::size_t scene, std::size_t clients, SceneResult& result) const;
  std::vector<GoalResult> goals_of(const ContestantResult& contestant) const;

  Workload workload_;  // with the contestants that are there, and at least one role and scene
  ContestOptions options_;
  std::vector<MissingPeer> missing_;
};

}  // namespace skua::bench
