// OwnDaemon: a daemon for one workload, that nothing else has used before: what its memory and its log come to is then the
// workload's own doing. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "bench/peers/skua_server.h"
#include "bench/workloads/bench_setup.h"

namespace skua::bench {

class OwnDaemon {
 public:
  // Its files go into a folder of this name.
  OwnDaemon(const BenchSetup& setup, std::string_view name)
      : program_(setup.skuad), folder_(setup.folder + "/" + std::string(name)) {}

  // `configuration` is the text of its configuration file.
  Status start(std::string_view configuration = {}) {
    std::error_code failed;
    std::filesystem::create_directory(folder_, failed);
    if (failed) return make_error(ErrorCode::kIo, "cannot make " + folder_ + ": " + failed.message());
    const std::string file = folder_ + "/skuad.toml";
    std::ofstream(file) << configuration;
    SKUA_ASSIGN(SkuaServer server, SkuaServer::start(program_, folder_, file));
    server_.emplace(std::move(server));
    return {};
  }
  // With a new process, and without a log.
  Status restart() {
    server_.reset();
    SKUA_ASSIGN(SkuaServer server, SkuaServer::start(program_, folder_, folder_ + "/skuad.toml"));
    server_.emplace(std::move(server));
    return {};
  }
  // Only after start().
  const SkuaServer& server() const { return *server_; }
  // 0 before start().
  pid_t pid() const { return server_ ? server_->pid() : 0; }
  // How long the write-ahead log's file has become.
  std::uint64_t log_file_bytes() const {
    std::error_code ignored;
    const std::uintmax_t bytes = std::filesystem::file_size(folder_ + "/bench.db-wal", ignored);
    return ignored ? 0 : bytes;
  }

 private:
  std::string program_;
  std::string folder_;
  std::optional<SkuaServer> server_;
};

}  // namespace skua::bench
