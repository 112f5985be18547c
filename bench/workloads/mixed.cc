#include <fmt/format.h>

#include "bench/peers/peer_names.h"
#include "bench/workloads/item_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kMixedRows = 1'000'000;
enum MixedRole : std::size_t { kRead, kWrite, kScan };

ItemTable mixed_table(const BenchSetup& setup) { return {"mixed", setup.records.value_or(kMixedRows)}; }

// Skua's and PostgreSQL's clients do the same; `Server` is which.
template <class Server>
class MixedClients : public Contestant {
 public:
  MixedClients(std::string_view name, Server& server, const BenchSetup& setup)
      : name_(name), server_(server), table_(mixed_table(setup)), seed_(setup.seed) {}

  std::string_view name() const override { return name_; }
  pid_t server_pid() const override { return server_.pid(); }
  Status prepare() override { return table_.fill(server_); }

  Result<Operation> make_operation(std::size_t client) override { return make_role_operation(kRead, client); }
  Result<Operation> make_role_operation(std::size_t role, std::size_t client) override {
    // So that the roles do not ask for the same keys in the same order.
    const std::uint64_t seed = seed_ + client + (role << 32);
    if (role == kRead) return table_.read(server_, seed);
    if (role == kWrite) return table_.update(server_, seed);
    return table_.scan(server_);
  }

 private:
  std::string_view name_;
  Server& server_;
  ItemTable table_;
  std::uint64_t seed_;
};

}  // namespace

Workload mixed_workload(const BenchSetup& setup) {
  Workload workload{"mixed",
                    fmt::format("reads and durable updates of a row by its key, and streams of all {} rows, at once and "
                                "each alone",
                                mixed_table(setup).row_count()),
                    "operations",
                    {}};
  workload.roles = {{"read", "round trips"}, {"write", "rows", 1.0 / 4}, {"scan", "rows", 1.0 / 16}};
  workload.scenes = {{"mixed", {kRead, kWrite, kScan}}, {"alone", {kRead}}, {"alone", {kWrite}}, {"alone", {kScan}}};
  workload.goals = {{kRead, "mixed", "alone", 3}, {kWrite, "mixed", "alone", 2}};
  workload.contestants.push_back(std::make_unique<MixedClients<const SkuaServer>>("skua", setup.server, setup));
  workload.contestants.push_back(
      std::make_unique<MixedClients<PostgresServer>>(kPostgresName, setup.postgres, setup));
  return workload;
}

}  // namespace skua::bench
