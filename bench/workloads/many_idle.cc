#include <fmt/format.h>

#include "bench/process_usage.h"
#include "bench/workloads/item_table.h"
#include "bench/workloads/own_daemon.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kRows = 100'000;
constexpr double kIdlePerBusy = 1'000.0 / 256;
constexpr double kIdleKibMost = 64;

// An idle session has said hello and has had an answer, so that all that a session gets on the way it has.
class ManyIdle final : public Contestant {
 public:
  explicit ManyIdle(const BenchSetup& setup)
      : daemon_(setup, "many-idle"), table_("item", setup.records.value_or(kRows)), seed_(setup.seed) {}

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return daemon_.pid(); }

  Status prepare() override {
    SKUA_TRY(daemon_.start());
    SKUA_TRY(table_.fill(daemon_.server()));
    return daemon_.restart();
  }

  Result<Operation> make_operation(std::size_t client) override {
    return table_.read(daemon_.server(), seed_ + client);
  }

  // Sessions are opened and not closed again before the first of them is measured: later on, they would get memory that others
  // have left.
  Status begin_turn(const Scene& scene, std::size_t contest_clients) override {
    if (scene.name != "among idle") return {};
    const auto count = static_cast<std::size_t>(static_cast<double>(contest_clients) * kIdlePerBusy + 0.5);
    const std::uint64_t before = resident_bytes(daemon_.pid());
    while (idle_.size() < count) SKUA_TRY(open_idle());
    if (idle_kib_ == 0) {
      const std::uint64_t after = resident_bytes(daemon_.pid());
      idle_kib_ = static_cast<double>(after - std::min(before, after)) / 1024 / static_cast<double>(count);
    }
    return {};
  }

  Result<std::vector<Figure>> end_turn(const Scene& scene) override {
    if (scene.name != "among idle") return std::vector<Figure>();
    const auto count = static_cast<double>(idle_.size());
    idle_.clear();
    return std::vector<Figure>{{"idle sessions", "sessions", count, std::nullopt},
                               {"resident memory of an idle session", "KiB", idle_kib_, kIdleKibMost}};
  }

 private:
  Status open_idle() {
    SKUA_ASSIGN(Connection connection, daemon_.server().connect());
    SKUA_TRY(connection.execute(table_.read_sql(SqlDialect::kSqlite), Parameters::of(1)));
    idle_.push_back(std::move(connection));
    return {};
  }

  OwnDaemon daemon_;
  ItemTable table_;
  std::uint64_t seed_;
  std::vector<Connection> idle_;
  double idle_kib_ = 0;
};

}  // namespace

Workload many_idle_workload(const BenchSetup& setup) {
  Workload workload{"many-idle", "a row by its key, among so many sessions that do nothing, and without them",
                    "round trips", {}};
  workload.roles = {{"read", "round trips"}};
  workload.scenes = {{"among idle", {0}}, {"alone", {0}}};
  workload.contestants.push_back(std::make_unique<ManyIdle>(setup));
  return workload;
}

}  // namespace skua::bench
