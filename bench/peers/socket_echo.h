// SocketEcho: the round trip below which nothing on a Unix socket can be: each client has a process of its own that
// answers it, without a loop.
#pragma once

#include "bench/peers/echo.h"
#include "bench/peers/peer_names.h"

namespace skua::bench {

class SocketEcho final : public Echo {
 public:
  explicit SocketEcho(std::function<Result<EchoSizes>()> measure, std::size_t depth = 1)
      : Echo(std::move(measure), depth) {}

  std::string_view name() const override { return kSocketEchoName; }

 private:
  Status start() override { return {}; }
  Result<FileDescriptor> connect() override;
};

}  // namespace skua::bench
