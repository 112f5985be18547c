#include "bench/peers/loop_echo.h"
#include "bench/peers/skua_session.h"
#include "bench/peers/socket_echo.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

class SkuaPing final : public Contestant {
 public:
  explicit SkuaPing(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return {}; }
  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection]() -> Result<std::uint64_t> {
      SKUA_TRY(connection->ping());
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
};

}  // namespace

Workload ping_workload(const BenchSetup& setup) {
  Workload workload{"ping", "a request that does nothing", "round trips", {}};
  const auto sizes = [&setup] { return measure_ping(setup.server); };
  workload.contestants.push_back(std::make_unique<SkuaPing>(setup));
  workload.contestants.push_back(std::make_unique<LoopEcho>(setup.folder + "/ping-echo.sock", sizes));
  workload.contestants.push_back(std::make_unique<SocketEcho>(sizes));
  return workload;
}

}  // namespace skua::bench
