#include <fmt/format.h>

#include <chrono>

#include "bench/peers/peer_names.h"
#include "bench/workloads/skua_point.h"
#include "bench/workloads/stream_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

class SkuaFirstRow final : public Contestant {
 public:
  SkuaFirstRow(const BenchSetup& setup, const StreamTable& table) : setup_(setup), table_(table) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return table_.fill(setup_.server); }
  bool has_windows() const override { return true; }

  Result<Operation> make_operation(std::size_t) override {
    return make_error(ErrorCode::kUsage, "its operation is a part of what it does");
  }

  Result<Window> make_window(std::size_t) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Window([connection, sql = table_.select()](Tally& tally) -> Result<std::uint64_t> {
      const Clock::time_point begin = Clock::now();
      SKUA_ASSIGN(RowStream stream, connection->stream(sql));
      SKUA_ASSIGN(const bool has_row, stream.next());
      const bool right = has_row && stream.row()[0].integer() == 1 && stream.row()[1].bytes() == "measurement 1";
      const Clock::time_point end = Clock::now();
      if (!right) return make_error(ErrorCode::kInternal, "the first row is not the right one");
      tally.latencies.add(end - begin);
      stream.cancel();
      // What the daemon had sent before it heard of that is read, and dropped, while this is waited for.
      SKUA_TRY(connection->ping());
      tally.aside += Clock::now() - end;
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
  StreamTable table_;
};

}  // namespace

Workload first_row_workload(const BenchSetup& setup) {
  const StreamTable table(StreamKind::kPlain, setup.records.value_or(kStreamRows));
  Workload workload{
      "first-row",
      fmt::format("from the request for {} rows to the first of them; then a cancel, which is not measured", table.rows()),
      "first rows",
      {}};
  workload.contestants.push_back(std::make_unique<SkuaFirstRow>(setup, table));
  workload.contestants.push_back(std::make_unique<SkuaPoint>(setup, kSkuaPointName));
  return workload;
}

}  // namespace skua::bench
