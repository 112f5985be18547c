// SocketEcho: the round trip below which nothing on a Unix socket can be: each client writes 64 bytes to a
// process of its own, which writes them back. No loop, no parsing, no work.
#pragma once

#include "bench/peers/peer_names.h"
#include "bench/workload.h"

namespace skua::bench {

class SocketEcho final : public Contestant {
 public:
  std::string_view name() const override { return kSocketEchoName; }
  Status prepare() override { return {}; }
  Result<Operation> make_operation(std::size_t client) override;
};

}  // namespace skua::bench
