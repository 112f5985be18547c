#include <fmt/format.h>

#include <random>

#include "bench/peers/loop_echo.h"
#include "bench/peers/socket_echo.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kRows = 100'000;

class SkuaPoint final : public Contestant {
 public:
  explicit SkuaPoint(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return setup_.server.pid(); }

  Status prepare() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_TRY(
        connection.execute("CREATE TABLE point(id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER)"));
    SKUA_TRY(connection.execute(fmt::format(
        "INSERT INTO point WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
        "SELECT i, 'item number ' || i, i * 0.25, i * 7 FROM n",
        kRows)));
    return {};
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    std::mt19937_64 random(setup_.seed + client);
    return Operation([connection, random]() mutable -> Result<std::uint64_t> {
      const auto id = static_cast<std::int64_t>(random() % kRows) + 1;
      SKUA_ASSIGN(
          const ResultSet rows,
          connection->execute("SELECT id, name, price, stock FROM point WHERE id = ?", Parameters::of(id)));
      SKUA_ASSIGN(const Row row, rows.one());
      const bool right = row[0].integer() == id && row[1].bytes().starts_with("item number ") &&
                         row[2].real() == static_cast<double>(id) * 0.25 && row[3].integer() == id * 7;
      if (!right) return make_error(ErrorCode::kInternal, fmt::format("a wrong row for id {}", id));
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
};

}  // namespace

Workload point_workload(const BenchSetup& setup) {
  Workload workload{"point", fmt::format("4 columns by key out of {} rows", kRows), "round trips", {}};
  workload.contestants.push_back(std::make_unique<SkuaPoint>(setup));
  workload.contestants.push_back(std::make_unique<LoopEcho>(setup.folder + "/point-echo.sock"));
  workload.contestants.push_back(std::make_unique<SocketEcho>());
  return workload;
}

}  // namespace skua::bench
