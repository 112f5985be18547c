#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "bench/process_usage.h"
#include "bench/workloads/item_table.h"
#include "bench/workloads/own_daemon.h"
#include "bench/workloads/workloads.h"
#include "protocol/limits.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kConsumedRows = 1'000'000;
// A slow consumer takes so many rows, about 4 KiB, and then nothing for so long.
constexpr int kRowsTaken = 100;
constexpr std::chrono::milliseconds kPause{200};
// Small enough for writers to pass it within a few seconds.
constexpr std::uint64_t kWalBytesMax = 64 << 20;
// One group of writes may come on top of the budget.
constexpr std::uint64_t kWalBytesBeyond = 2 << 20;
constexpr double kMebibyte = 1 << 20;
enum SlowRole : std::size_t { kFastRead, kFastWrite, kSlow };

class SlowConsumers final : public Contestant {
 public:
  explicit SlowConsumers(const BenchSetup& setup)
      : daemon_(setup, "slow-consumers"), table_("item", setup.records.value_or(kConsumedRows)), seed_(setup.seed) {}

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return daemon_.pid(); }

  Status prepare() override {
    SKUA_TRY(daemon_.start(fmt::format("[limits]\nwal_bytes_max = {}\n", kWalBytesMax)));
    SKUA_TRY(table_.fill(daemon_.server()));
    // All rows of the table went through the log in one transaction, which no budget ends.
    return daemon_.restart();
  }

  Result<Operation> make_operation(std::size_t client) override { return make_role_operation(kFastRead, client); }
  Result<Operation> make_role_operation(std::size_t role, std::size_t client) override {
    // So that the roles do not ask for the same keys in the same order.
    const std::uint64_t seed = seed_ + client + (role << 32);
    if (role == kFastRead) return table_.read(daemon_.server(), seed);
    if (role == kFastWrite) return table_.update(daemon_.server(), seed);
    return consume_slowly();
  }

  Status begin_turn(const Scene&, std::size_t) override {
    resident_before_ = resident_bytes(daemon_.pid());
    return {};
  }

  // The log's file keeps its length for as long as there are writes, so what it has at the end is the most it had.
  Result<std::vector<Figure>> end_turn(const Scene&) override {
    const std::uint64_t peak = std::max(peak_memory_bytes(daemon_.pid()).value_or(0), resident_before_);
    return std::vector<Figure>{
        {"resident memory beyond that before the turn", "MiB", static_cast<double>(peak - resident_before_) / kMebibyte,
         static_cast<double>(Limits().response_memory_bytes_max) / kMebibyte},
        {"the write-ahead log's file", "MiB", static_cast<double>(daemon_.log_file_bytes()) / kMebibyte,
         static_cast<double>(kWalBytesMax + kWalBytesBeyond) / kMebibyte}};
  }

 private:
  Result<Operation> consume_slowly() const {
    SKUA_ASSIGN(Connection opened, daemon_.server().connect());
    // In this order: the stream must go before its connection.
    struct Consumer {
      Connection connection;
      std::optional<RowStream> stream;
    };
    auto consumer = std::make_shared<Consumer>(Consumer{std::move(opened), std::nullopt});
    return Operation([consumer, sql = table_.scan_sql()]() -> Result<std::uint64_t> {
      if (!consumer->stream) {
        SKUA_ASSIGN(RowStream stream, consumer->connection.stream(sql));
        consumer->stream.emplace(std::move(stream));
      }
      std::uint64_t rows = 0;
      while (rows < kRowsTaken) {
        const Result<bool> more = consumer->stream->next();
        if (!more || !*more) consumer->stream.reset();
        if (!more) return more.error();
        if (!*more) break;
        ++rows;
      }
      std::this_thread::sleep_for(kPause);
      return rows;
    });
  }

  OwnDaemon daemon_;
  ItemTable table_;
  std::uint64_t seed_;
  std::uint64_t resident_before_ = 0;
};

}  // namespace

Workload slow_consumers_workload(const BenchSetup& setup) {
  Workload workload{"slow-consumers",
                    fmt::format("reads and durable updates by key, beside clients that stream {} rows and take {} of them "
                                "every {} ms, and without those",
                                setup.records.value_or(kConsumedRows), kRowsTaken, kPause.count()),
                    "operations",
                    {}};
  workload.roles = {{"read", "round trips", 1.0 / 32}, {"write", "rows", 1.0 / 64}, {"slow stream", "rows"}};
  workload.scenes = {{"among slow", {kFastRead, kFastWrite, kSlow}}, {"without", {kFastRead, kFastWrite}}};
  workload.goals = {{kFastRead, "among slow", "without", 2}, {kFastWrite, "among slow", "without", 2}};
  workload.contestants.push_back(std::make_unique<SlowConsumers>(setup));
  return workload;
}

}  // namespace skua::bench
