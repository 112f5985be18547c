// BenchSetup: what the workloads of one run share: the servers, a folder for the peers' databases, the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bench/peers/postgres_server.h"
#include "bench/peers/redis_server.h"
#include "bench/peers/skua_server.h"

namespace skua::bench {

struct BenchSetup {
  const SkuaServer& server;
  PostgresServer& postgres;  // started by the first workload that has it as a peer
  RedisServer& redis;        // so too
  std::string python;        // the interpreter that has aiosqlite
  std::string folder;
  std::uint64_t seed = 0;
  std::int64_t scale = 10;  // of tpcb: how many branches
  std::string skuad = {};   // the daemon's program, for a workload that needs a daemon of its own
  std::optional<std::int64_t> records = {};  // of a table that a workload makes; nothing: as many as it likes
  std::size_t depth = 0;  // requests in flight per connection; 0: the workload's own
};

}  // namespace skua::bench
