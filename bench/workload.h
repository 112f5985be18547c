// Workload: one thing to do, by Skua and by the peers it is compared with. Contestant: one that does it.
//
// A workload's first contestant is Skua. In most workloads all clients do the same; some have Roles, measured apart, and
// Scenes, in which some or all of them are at work. One thread; a contestant's operations run in forked processes.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measurement.h"
#include "protocol/result.h"

namespace skua::bench {

// Does one operation and returns how many units it was: 1 for a round trip, the rows of a stream. After an
// error it can be called again.
using Operation = std::function<Result<std::uint64_t>()>;

// Does several operations and times each of them itself: those that are under way on a connection at once, or
// those of another program that would only be slower if it were asked for each one. Returns the units of all of
// them. After an error it can be called again.
using Window = std::function<Result<std::uint64_t>(Tally&)>;
// The most requests that a client may have in flight. What a socket takes while nobody reads: a client sends all of
// them before it looks for an answer.
inline constexpr std::size_t kDepthMax = 256;

// Clients that do the same thing, and are measured apart from those that do something else at the same time.
struct Role {
  std::string name;
  std::string unit;  // plural: "rows"
  double share = 1;  // how many there are for each client of the contest

  // At least one.
  std::size_t clients_of(std::size_t contest_clients) const {
    return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(contest_clients) * share + 0.5));
  }
};

// The roles that work at the same time, by their place in Workload::roles.
struct Scene {
  std::string name;
  std::vector<std::size_t> roles;
};

// Something about a turn that no client measures: memory, the size of a file.
struct Figure {
  std::string name;
  std::string unit;  // "MiB"
  double value = 0;
  std::optional<double> most;  // what it must not exceed
};

class Contestant {
 public:
  virtual ~Contestant() = default;

  // As the report has it, and as --peers takes it.
  virtual std::string_view name() const = 0;
  // Whether it takes part when there are so many clients.
  virtual bool accepts(std::size_t clients) const { return clients > 0; }
  // 0: every client is a process. Otherwise the clients are so many threads of one process, however many
  // clients the others have.
  virtual std::size_t thread_count() const { return 0; }
  // Once, before the first round: starts what must run, makes the data. A peer that fails here is missing.
  virtual Status prepare() = 0;
  // The process, with its children, that does the work for the clients; 0 if they do it themselves. Known after
  // prepare().
  virtual pid_t server_pid() const { return 0; }
  // In the process and thread of the client with this number, from 0: connects and returns what it does over
  // and over. What it returns owns all it needs.
  virtual Result<Operation> make_operation(std::size_t client) = 0;
  // If true, make_window() is called in place of make_operation(). For workloads without roles.
  virtual bool has_windows() const { return false; }
  virtual Result<Window> make_window(std::size_t) { return make_error(ErrorCode::kUsage, "it has no windows"); }
  // If this returns something, that is the turn: of a program that has clients and a clock of its own. In the
  // process of the contest.
  virtual std::optional<Result<TurnMeasurement>> measure(const Turn&) { return std::nullopt; }
  // The same for a workload that has roles; the clients of each are numbered from 0.
  virtual Result<Operation> make_role_operation(std::size_t role, std::size_t client) {
    return role == 0 ? make_operation(client) : make_error(ErrorCode::kInternal, "this contestant has one role");
  }
  // Around each turn, in the starter's process, while no client is there.
  virtual Status begin_turn(const Scene&, std::size_t /*contest_clients*/) { return {}; }
  virtual Result<std::vector<Figure>> end_turn(const Scene&) { return std::vector<Figure>(); }
  // Once, after the last round: whether the data is what the operations must have left.
  virtual Status verify() { return {}; }
};

// What a workload is there to show: that the p99 of a role, with others at work, is at most so many times that of the same
// role in another scene.
struct LatencyGoal {
  std::size_t role = 0;
  std::string scene;
  std::string base_scene;
  double ratio_most = 1;
};

struct Workload {
  std::string name;
  std::string description;
  std::string unit;  // plural: "round trips"
  std::vector<std::unique_ptr<Contestant>> contestants;
  // None: all clients do the same, and there is one scene.
  std::vector<Role> roles = {};
  // Every contestant plays each of them in each round.
  std::vector<Scene> scenes = {};
  std::vector<LatencyGoal> goals = {};
  std::size_t depth = 1;  // requests that each client has in flight
};

}  // namespace skua::bench
