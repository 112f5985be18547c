// LoopEcho: what a libuv server can be at best: one process whose only loop writes back the 64 bytes that it reads, for all
// clients. No parsing, no work.
#pragma once

#include <string>

#include "bench/peers/peer_names.h"
#include "bench/workload.h"

namespace skua::bench {

class LoopEcho final : public Contestant {
 public:
  explicit LoopEcho(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  LoopEcho(const LoopEcho&) = delete;
  LoopEcho& operator=(const LoopEcho&) = delete;
  ~LoopEcho() override;

  std::string_view name() const override { return kLoopEchoName; }
  Status prepare() override;
  pid_t server_pid() const override { return pid_; }
  Result<Operation> make_operation(std::size_t client) override;

 private:
  const std::string socket_path_;
  pid_t pid_ = -1;
};

}  // namespace skua::bench
