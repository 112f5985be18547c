// BenchSetup: what the workloads of one run share: the daemon, a folder for the peers' databases, the seed.
#pragma once

#include <cstdint>
#include <string>

#include "bench/peers/skua_server.h"

namespace skua::bench {

struct BenchSetup {
  const SkuaServer& server;
  std::string folder;
  std::uint64_t seed = 0;
};

}  // namespace skua::bench
