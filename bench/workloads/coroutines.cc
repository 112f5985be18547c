// What the coroutine engine costs: point selects by 64 coroutines on one thread, beside a client that sends as many requests at
// once but does nothing else; and a stream row by row, beside its batches.
#include <fmt/format.h>

#include <chrono>
#include <random>

#include "bench/peers/peer_names.h"
#include "bench/workloads/deep_point.h"
#include "bench/workloads/point_table.h"
#include "bench/workloads/stream_table.h"
#include "bench/workloads/workloads.h"
#include "skua/engine.h"

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCoroutines = 64;
constexpr int kSelectsEach = 16;
constexpr std::string_view kRawName = "skua, raw requests";
constexpr std::string_view kBatchesName = "skua, batches";
constexpr std::string_view kBlockingName = "skua, blocking batches";

EngineOptions options_for(const SkuaServer& server) {
  EngineOptions options;
  options.connect.socket_path = server.socket_path();
  options.connect.database = std::string(kSkuaDatabase);
  options.connections = 1;
  return options;
}

class EnginePoint final : public Contestant {
 public:
  EnginePoint(const BenchSetup& setup, std::size_t coroutines) : setup_(setup), coroutines_(coroutines) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return fill_point_table(setup_.server); }
  bool has_windows() const override { return true; }
  Result<Operation> make_operation(std::size_t) override {
    return make_error(ErrorCode::kUsage, "its requests are under way together");
  }

  Result<Window> make_window(std::size_t client) override {
    auto engine = std::make_shared<Engine>(options_for(setup_.server));
    auto random = std::make_shared<std::mt19937_64>(setup_.seed + client);
    return Window([engine, random, coroutines = coroutines_](Tally& tally) {
      return engine->run_task(select_all(*engine, *random, coroutines, tally));
    });
  }

 private:
  static Task<Result<std::uint64_t>> select_all(Engine& engine, std::mt19937_64& random, std::size_t coroutines, Tally& tally) {
    TaskGroup group;
    for (std::size_t i = 0; i < coroutines; ++i) group.spawn(select_some(engine, random, tally));
    SKUA_CO_TRY(co_await group.join());
    co_return std::uint64_t{coroutines * kSelectsEach};
  }

  static Task<Status> select_some(Engine& engine, std::mt19937_64& random, Tally& tally) {
    for (int i = 0; i < kSelectsEach; ++i) {
      const std::int64_t id = random_point_id(random);
      const Clock::time_point begin = Clock::now();
      SKUA_CO_ASSIGN(const ResultSet rows, co_await engine.execute(kPointSelect, Parameters::of(id)));
      SKUA_CO_ASSIGN(const Row row, rows.one());
      if (!is_point_row(id, row[0].integer(), row[1].bytes(), row[2].real(), row[3].integer())) co_return wrong_point_row(id);
      tally.latencies.add(Clock::now() - begin);
    }
    co_return Status();
  }

  const BenchSetup& setup_;
  std::size_t coroutines_;
};

enum class Way { kRows, kBatches, kBlocking };

class EngineStream final : public Contestant {
 public:
  EngineStream(const BenchSetup& setup, std::string_view name, Way way, const StreamTable& table)
      : setup_(setup), name_(name), way_(way), table_(table) {}

  std::string_view name() const override { return name_; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override {
    expected_ = table_.digest();
    return table_.fill(setup_.server);
  }

  Result<Operation> make_operation(std::size_t) override {
    if (way_ == Way::kBlocking) {
      SKUA_ASSIGN(Connection opened, setup_.server.connect());
      auto connection = std::make_shared<Connection>(std::move(opened));
      return Operation([connection, table = table_, expected = expected_]() -> Result<std::uint64_t> {
        SKUA_ASSIGN(RowStream stream, connection->stream(table.select()));
        StreamDigest digest;
        while (true) {
          SKUA_ASSIGN(const Batch batch, stream.next_batch());
          if (batch.row_count() == 0) return table.judge(expected, digest);
          add(batch, digest);
        }
      });
    }
    auto engine = std::make_shared<Engine>(options_for(setup_.server));
    return Operation([engine, way = way_, table = table_, expected = expected_]() -> Result<std::uint64_t> {
      StreamDigest digest;
      SKUA_TRY(engine->run_task(way == Way::kRows ? read_rows(*engine, table.select(), digest)
                                                  : read_batches(*engine, table.select(), digest)));
      return table.judge(expected, digest);
    });
  }

 private:
  static void add(const Batch& batch, StreamDigest& digest) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      digest.add_row(batch.at(row, 0).integer(), batch.at(row, 1).bytes(), batch.at(row, 2).real(), batch.at(row, 3).integer());
    }
  }
  static Task<Status> read_rows(Engine& engine, std::string sql, StreamDigest& digest) {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(std::move(sql)));
    while (true) {
      SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
      if (!has_row) co_return Status();
      const Row row = rows.row();
      digest.add_row(row[0].integer(), row[1].bytes(), row[2].real(), row[3].integer());
    }
  }
  static Task<Status> read_batches(Engine& engine, std::string sql, StreamDigest& digest) {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(std::move(sql)));
    while (true) {
      SKUA_CO_ASSIGN(const Batch batch, co_await rows.next_batch());
      if (batch.row_count() == 0) co_return Status();
      add(batch, digest);
    }
  }

  const BenchSetup& setup_;
  std::string_view name_;
  Way way_;
  StreamTable table_;
  StreamDigest expected_;
};

}  // namespace

Workload coroutines_workload(const BenchSetup& setup) {
  const std::size_t coroutines = setup.depth > 0 ? setup.depth : kCoroutines;
  Workload workload{"coroutines",
                    fmt::format("4 columns by key out of {} rows, by {} coroutines on one thread and one connection", kPointRows,
                                coroutines),
                    "answers",
                    {}};
  workload.depth = coroutines;
  workload.contestants.push_back(std::make_unique<EnginePoint>(setup, coroutines));
  workload.contestants.push_back(raw_deep_point(setup, kRawName, coroutines));
  return workload;
}

Workload generator_workload(const BenchSetup& setup) {
  const StreamTable table(StreamKind::kPlain, setup.records.value_or(kStreamRows));
  Workload workload{"generator",
                    fmt::format("all {} rows of 4 columns by the coroutine engine row by row, every value read", table.rows()),
                    "rows",
                    {}};
  workload.contestants.push_back(std::make_unique<EngineStream>(setup, kSkuaName, Way::kRows, table));
  workload.contestants.push_back(std::make_unique<EngineStream>(setup, kBatchesName, Way::kBatches, table));
  workload.contestants.push_back(std::make_unique<EngineStream>(setup, kBlockingName, Way::kBlocking, table));
  return workload;
}

}  // namespace skua::bench
