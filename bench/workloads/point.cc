#include <fmt/format.h>

#include <random>

#include "bench/peers/aiosqlite_peer.h"
#include "bench/peers/loop_echo.h"
#include "bench/peers/skua_session.h"
#include "bench/peers/socket_echo.h"
#include "bench/workloads/deep_point.h"
#include "bench/workloads/point_table.h"
#include "bench/workloads/skua_point.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

class PostgresPoint final : public Contestant {
 public:
  explicit PostgresPoint(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }
  Status prepare() override { return fill_point_table(setup_.postgres); }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(PostgresConnection opened, warm_postgres_connection(setup_.postgres));
    SKUA_TRY(opened.prepare("point", kPostgresPointSelect));
    auto connection = std::make_shared<PostgresConnection>(std::move(opened));
    return Operation([connection, random = std::mt19937_64(setup_.seed + client),
                      parameters = PostgresParameters()]() mutable -> Result<std::uint64_t> {
      const std::int64_t id = random_point_id(random);
      parameters.clear();
      parameters.integer(id);
      SKUA_ASSIGN(const PostgresRows rows, connection->select("point", parameters));
      const bool right = rows.count() == 1 && is_point_row(id, rows.integer(0, 0), rows.text(0, 1), rows.real(0, 2),
                                                           rows.integer(0, 3));
      if (!right) return wrong_point_row(id);
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
};

class RedisPoint final : public Contestant {
 public:
  explicit RedisPoint(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kRedisName; }
  pid_t server_pid() const override { return setup_.redis.pid(); }
  Status prepare() override { return fill_point_keys(setup_.redis); }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(RedisConnection opened, RedisConnection::open(setup_.redis.socket_path()));
    auto connection = std::make_shared<RedisConnection>(std::move(opened));
    return Operation(
        [connection, random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
          const std::int64_t id = random_point_id(random);
          SKUA_TRY(connection->send(point_get(id)));
          SKUA_ASSIGN(const RespReply reply, connection->receive());
          if (!is_point_value(id, reply.text)) return wrong_point_row(id);
          return std::uint64_t{1};
        });
  }

 private:
  const BenchSetup& setup_;
};

class AiosqlitePoint final : public Contestant {
 public:
  explicit AiosqlitePoint(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kAiosqliteName; }
  // A Python for each of many clients would only measure how Python starts.
  bool accepts(std::size_t clients) const override { return clients == 1; }
  bool has_windows() const override { return true; }

  Status prepare() override {
    SKUA_TRY(require_aiosqlite(setup_.python));
    SKUA_ASSIGN(path_, fill_point_file(setup_.folder));
    return {};
  }

  Result<Operation> make_operation(std::size_t) override {
    return make_error(ErrorCode::kUsage, "aiosqlite's program times its operations itself");
  }

  Result<Window> make_window(std::size_t client) override {
    // Few enough to end a turn when it is over.
    constexpr std::uint64_t kSelectsAtOnce = 100;
    SKUA_ASSIGN(AiosqliteProgram started,
                AiosqliteProgram::start(setup_.python, {"point", path_, fmt::to_string(setup_.seed + client),
                                                        fmt::to_string(kPointRows)}));
    auto program = std::make_shared<AiosqliteProgram>(std::move(started));
    return Window([program](Tally& tally) -> Result<std::uint64_t> {
      SKUA_ASSIGN(const std::vector<std::uint64_t> latencies_ns, program->ask(kSelectsAtOnce, tally));
      for (const std::uint64_t ns : latencies_ns) tally.latencies.add(std::chrono::nanoseconds(ns));
      return std::uint64_t{latencies_ns.size()};
    });
  }

 private:
  const BenchSetup& setup_;
  std::string path_;
};

}  // namespace

Workload point_workload(const BenchSetup& setup) {
  if (setup.depth > 1) return deep_point_workload(setup, "point", setup.depth);
  Workload workload{"point", fmt::format("4 columns by key out of {} rows", kPointRows), "round trips", {}};
  const auto sizes = [&setup] {
    return measure_execute(setup.server, kPointSelect, Parameters::of(kTypicalPointId));
  };
  auto& contestants = workload.contestants;
  contestants.push_back(std::make_unique<SkuaPoint>(setup, kSkuaName));
  contestants.push_back(std::make_unique<LoopEcho>(setup.folder + "/point-echo.sock", sizes));
  contestants.push_back(std::make_unique<SocketEcho>(sizes));
  contestants.push_back(std::make_unique<RedisPoint>(setup));
  contestants.push_back(std::make_unique<PostgresPoint>(setup));
  contestants.push_back(std::make_unique<AiosqlitePoint>(setup));
  return workload;
}

}  // namespace skua::bench
