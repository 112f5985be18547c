// LoopEcho: what a libuv server can be at best: one process whose only loop answers all clients. No parsing, no work.
#pragma once

#include <string>

#include "bench/peers/echo.h"
#include "bench/peers/peer_names.h"

namespace skua::bench {

class LoopEcho final : public Echo {
 public:
  LoopEcho(std::string socket_path, std::function<Result<EchoSizes>()> measure, std::size_t depth = 1)
      : Echo(std::move(measure), depth), socket_path_(std::move(socket_path)) {}
  LoopEcho(const LoopEcho&) = delete;
  LoopEcho& operator=(const LoopEcho&) = delete;
  ~LoopEcho() override;

  std::string_view name() const override { return kLoopEchoName; }
  pid_t server_pid() const override { return pid_; }

 private:
  Status start() override;
  Result<FileDescriptor> connect() override;

  const std::string socket_path_;
  pid_t pid_ = -1;
};

}  // namespace skua::bench
