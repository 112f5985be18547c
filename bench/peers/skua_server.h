// SkuaServer: a skuad process with one database, "bench", that runs as long as this object lives. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "skua/client.h"

namespace skua::bench {

inline constexpr std::string_view kSkuaDatabase = "bench";

class SkuaServer {
 public:
  // `folder` takes the database, the socket and the log. `configuration` is the path of a file, or empty. Returns when the
  // daemon answers.
  static Result<SkuaServer> start(const std::string& program, const std::string& folder,
                                  const std::string& configuration = {});
  SkuaServer(SkuaServer&& other) noexcept;
  SkuaServer& operator=(SkuaServer&&) = delete;
  ~SkuaServer();

  Result<Connection> connect() const;
  pid_t pid() const { return pid_; }
  const std::string& socket_path() const { return socket_path_; }

 private:
  SkuaServer(pid_t pid, std::string socket_path) : pid_(pid), socket_path_(std::move(socket_path)) {}

  pid_t pid_;  // -1 once moved from
  std::string socket_path_;
};

// The skuad beside this program.
std::string default_skuad();

}  // namespace skua::bench
