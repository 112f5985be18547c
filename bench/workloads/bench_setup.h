// BenchSetup: what the workloads of one run share: the servers, a folder for the peers' databases, the seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/peers/postgres_server.h"
#include "bench/peers/skua_server.h"

namespace skua::bench {

struct BenchSetup {
  const SkuaServer& server;
  PostgresServer& postgres;  // started by the first workload that has it as a peer
  std::string folder;
  std::uint64_t seed = 0;
  std::int64_t scale = 10;  // of tpcb: how many branches
  std::string skuad = {};   // the daemon's program, for a workload that needs a daemon of its own
  std::optional<std::int64_t> records = {};  // of a table that a workload makes; nothing: as many as it likes
};

}  // namespace skua::bench
