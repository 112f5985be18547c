// SkuaPoint: the point select by the client library. One thread.
#pragma once

#include <string_view>

#include "bench/workload.h"
#include "bench/workloads/bench_setup.h"

namespace skua::bench {

class SkuaPoint final : public Contestant {
 public:
  // Where it is a peer of something else of Skua's it has a name of its own.
  SkuaPoint(const BenchSetup& setup, std::string_view name) : setup_(setup), name_(name) {}

  std::string_view name() const override { return name_; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override;
  Result<Operation> make_operation(std::size_t client) override;

 private:
  const BenchSetup& setup_;
  std::string_view name_;
};

}  // namespace skua::bench
