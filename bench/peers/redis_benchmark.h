// RedisBenchmark: the program redis-benchmark as a contestant: GETs of random keys of point_table.h, some of them under
// way on each connection, measured by its own clock. It tells no latencies of single requests.
//
// One thread.
#pragma once

#include <string>
#include <string_view>

#include "bench/peers/peer_names.h"
#include "bench/peers/redis_server.h"
#include "bench/workload.h"

namespace skua::bench {

// The requests per second in what `redis-benchmark --csv` wrote about its test GET.
Result<double> requests_per_second_of(std::string_view csv);

class RedisBenchmark final : public Contestant {
 public:
  RedisBenchmark(RedisServer& server, std::size_t depth) : server_(server), depth_(depth) {}

  std::string_view name() const override { return kRedisBenchmarkName; }
  Status prepare() override;
  pid_t server_pid() const override { return server_.pid(); }
  Result<Operation> make_operation(std::size_t) override;
  std::optional<Result<TurnMeasurement>> measure(const Turn& turn) override { return run_turn(turn); }

 private:
  Result<TurnMeasurement> run_turn(const Turn& turn);
  Result<double> run(std::size_t clients, std::uint64_t requests);

  RedisServer& server_;
  std::size_t depth_;
  std::string program_;
};

}  // namespace skua::bench
