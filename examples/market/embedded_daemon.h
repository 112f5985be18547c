// EmbeddedDaemon: a skuad of our own, with the sample shop in a temporary folder, for as long as this object lives.
//
// Blocking, for the start and the end of a program. One thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "skua/connection.h"

namespace market {

class EmbeddedDaemon {
 public:
  // `skuad` is the program. Returns when the daemon answers and the shop is there. The daemon ends with this process, however
  // that ends, and with the thread that calls this.
  static skua::Result<std::unique_ptr<EmbeddedDaemon>> start(const std::string& skuad);
  EmbeddedDaemon(const EmbeddedDaemon&) = delete;
  EmbeddedDaemon& operator=(const EmbeddedDaemon&) = delete;
  // Ends the daemon and removes the folder.
  ~EmbeddedDaemon();

  std::string socket_path() const { return folder_ + "/socket"; }

 private:
  explicit EmbeddedDaemon(std::string folder) : folder_(std::move(folder)) {}
  [[noreturn]] void become_daemon(const std::string& skuad) const;
  skua::Result<skua::Connection> connect();

  std::string folder_;
  pid_t pid_ = -1;
};

// The skuad beside this program.
std::string skuad_beside_us();

}  // namespace market
