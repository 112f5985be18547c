#include "bench/workloads/deep_point.h"

#include <fmt/format.h>

#include <chrono>
#include <random>

#include "bench/peers/loop_echo.h"
#include "bench/peers/redis_benchmark.h"
#include "bench/peers/skua_session.h"
#include "bench/peers/socket_echo.h"
#include "bench/workloads/point_table.h"
#include "bench/workloads/workloads.h"
#include "protocol/codec.h"

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

class DeepPoint : public Contestant {
 public:
  DeepPoint(const BenchSetup& setup, std::size_t depth) : setup_(setup), depth_(depth) {}

  bool has_windows() const final { return true; }
  Result<Operation> make_operation(std::size_t) final {
    return make_error(ErrorCode::kUsage, "its requests are under way together");
  }

 protected:
  const BenchSetup& setup_;
  const std::size_t depth_;
};

wire::Column::Reader column_of(wire::RowBatch::Reader batch, kj::uint index) { return batch.getColumns()[index]; }

// The window of one client.
class SkuaWindow {
 public:
  SkuaWindow(SkuaSession session, ExecuteWindow requests, std::size_t depth, std::uint64_t seed)
      : session_(std::move(session)), requests_(std::move(requests)), ids_(depth), random_(seed),
        last_request_(session_.last_id()) {}

  Result<std::uint64_t> run(Tally& tally) {
    const std::uint64_t first = last_request_ + 1;
    last_request_ += ids_.size();
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      ids_[i] = random_point_id(random_);
      requests_.set(i, first + i, ids_[i]);
    }
    const Clock::time_point begin = Clock::now();
    SKUA_TRY(session_.send(requests_.bytes()));
    // All of them are read, so that the next window begins with its own.
    Status status;
    for (std::size_t answered = 0; answered < ids_.size(); ++answered) {
      SKUA_ASSIGN(const FrameView frame, session_.receive());
      Status checked = guarded([&] { return check(frame, first); });
      if (checked) {
        tally.latencies.add(Clock::now() - begin);
      } else if (status) {
        status = std::move(checked);
      }
    }
    SKUA_TRY(std::move(status));
    return std::uint64_t{ids_.size()};
  }

 private:
  Status check(FrameView frame, std::uint64_t first) const {
    MessageView message(frame);
    const auto response = message.root<wire::Response>();
    if (response.isError()) return read_error(response.getError());
    const std::uint64_t index = response.getId() - first;
    if (!response.isRows() || index >= ids_.size()) return unexpected();
    const auto rows = response.getRows();
    const auto batch = rows.getBatch();
    if (!rows.hasDone() || batch.getRowCount() != 1 || batch.getColumns().size() != 4) return unexpected();
    const auto id = column_of(batch, 0);
    const auto name = column_of(batch, 1);
    const auto price = column_of(batch, 2);
    const auto stock = column_of(batch, 3);
    if (!id.isIntegers() || !name.isTexts() || !price.isReals() || !stock.isIntegers()) return unexpected();
    const std::int64_t wanted = ids_[static_cast<std::size_t>(index)];
    if (is_point_row(wanted, id.getIntegers()[0], view_of(name.getTexts().getData()), price.getReals()[0],
                     stock.getIntegers()[0])) {
      return {};
    }
    return wrong_point_row(wanted);
  }
  static Error unexpected() { return make_error(ErrorCode::kInternal, "not the response of a point select"); }

  SkuaSession session_;
  ExecuteWindow requests_;
  std::vector<std::int64_t> ids_;  // that are asked for, in the order of the requests
  std::mt19937_64 random_;
  std::uint64_t last_request_;
};

class SkuaDeepPoint final : public DeepPoint {
 public:
  SkuaDeepPoint(const BenchSetup& setup, std::string_view name, std::size_t depth) : DeepPoint(setup, depth), name_(name) {}

  std::string_view name() const override { return name_; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return fill_point_table(setup_.server); }

  Result<Window> make_window(std::size_t client) override {
    SKUA_ASSIGN(SkuaSession session, SkuaSession::open(setup_.server));
    // As the client library does from the second execution on.
    SKUA_ASSIGN(const SkuaSession::Exchange first, session.execute(kPointSelect, Parameters::of(kTypicalPointId)));
    SKUA_TRY(session.share_memory());
    SKUA_ASSIGN(ExecuteWindow requests, ExecuteWindow::build(kPointSelect, depth_, first.columns_id));
    auto window =
        std::make_shared<SkuaWindow>(std::move(session), std::move(requests), depth_, setup_.seed + client);
    return Window([window](Tally& tally) { return window->run(tally); });
  }

 private:
  std::string_view name_;
};

class RedisDeepPoint final : public DeepPoint {
 public:
  using DeepPoint::DeepPoint;

  std::string_view name() const override { return kRedisName; }
  pid_t server_pid() const override { return setup_.redis.pid(); }
  Status prepare() override { return fill_point_keys(setup_.redis); }

  Result<Window> make_window(std::size_t client) override {
    SKUA_ASSIGN(RedisConnection opened, RedisConnection::open(setup_.redis.socket_path()));
    auto connection = std::make_shared<RedisConnection>(std::move(opened));
    return Window([connection, random = std::mt19937_64(setup_.seed + client),
                   ids = std::vector<std::int64_t>(depth_)](Tally& tally) mutable -> Result<std::uint64_t> {
      std::string commands;
      for (std::int64_t& id : ids) {
        id = random_point_id(random);
        commands += point_get(id);
      }
      const Clock::time_point begin = Clock::now();
      SKUA_TRY(connection->send(commands));
      Status status;
      for (const std::int64_t id : ids) {
        SKUA_ASSIGN(const RespReply reply, connection->receive());
        if (is_point_value(id, reply.text)) {
          tally.latencies.add(Clock::now() - begin);
        } else if (status) {
          status = wrong_point_row(id);
        }
      }
      SKUA_TRY(std::move(status));
      return std::uint64_t{ids.size()};
    });
  }
};

class PostgresDeepPoint final : public DeepPoint {
 public:
  using DeepPoint::DeepPoint;

  std::string_view name() const override { return kPostgresPipelinedName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }
  Status prepare() override { return fill_point_table(setup_.postgres); }

  Result<Window> make_window(std::size_t client) override {
    SKUA_ASSIGN(PostgresConnection opened, warm_postgres_connection(setup_.postgres));
    SKUA_TRY(opened.prepare("point", kPostgresPointSelect));
    auto connection = std::make_shared<PostgresConnection>(std::move(opened));
    return Window([connection, random = std::mt19937_64(setup_.seed + client),
                   ids = std::vector<std::int64_t>(depth_),
                   parameters = std::vector<PostgresParameters>(depth_)](Tally& tally) mutable
                  -> Result<std::uint64_t> {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        ids[i] = random_point_id(random);
        parameters[i].clear();
        parameters[i].integer(ids[i]);
      }
      const Clock::time_point begin = Clock::now();
      SKUA_TRY(connection->select_pipelined(
          "point", parameters, [&](std::size_t i, const PostgresRows& rows) -> Status {
            const bool right = rows.count() == 1 && is_point_row(ids[i], rows.integer(0, 0), rows.text(0, 1),
                                                                 rows.real(0, 2), rows.integer(0, 3));
            if (!right) return wrong_point_row(ids[i]);
            tally.latencies.add(Clock::now() - begin);
            return {};
          }));
      return std::uint64_t{ids.size()};
    });
  }
};

}  // namespace

std::unique_ptr<Contestant> raw_deep_point(const BenchSetup& setup, std::string_view name, std::size_t depth) {
  return std::make_unique<SkuaDeepPoint>(setup, name, depth);
}

Workload deep_point_workload(const BenchSetup& setup, const std::string& name, std::size_t depth) {
  Workload workload{
      name, fmt::format("4 columns by key out of {} rows, {} requests in flight on each connection", kPointRows, depth),
      "answers", {}};
  const auto sizes = [&setup] {
    return measure_execute(setup.server, kPointSelect, Parameters::of(kTypicalPointId));
  };
  workload.depth = depth;
  auto& contestants = workload.contestants;
  contestants.push_back(raw_deep_point(setup, kSkuaName, depth));
  contestants.push_back(
      std::make_unique<LoopEcho>(fmt::format("{}/{}-deep-echo.sock", setup.folder, name), sizes, depth));
  contestants.push_back(std::make_unique<SocketEcho>(sizes, depth));
  contestants.push_back(std::make_unique<RedisBenchmark>(setup.redis, depth));
  contestants.push_back(std::make_unique<RedisDeepPoint>(setup, depth));
  contestants.push_back(std::make_unique<PostgresDeepPoint>(setup, depth));
  return workload;
}

Workload pipeline_workload(const BenchSetup& setup) {
  constexpr std::size_t kDefaultDepth = 16;
  return deep_point_workload(setup, "pipeline", setup.depth > 0 ? setup.depth : kDefaultDepth);
}

}  // namespace skua::bench
