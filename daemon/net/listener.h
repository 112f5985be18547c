// Listener: the Unix socket that clients connect to: bound to a path, or inherited from systemd (sd_listen_fds(3)).
//
// A path is guarded by a lock on PATH.lock for as long as the daemon runs, so that a socket file without a living daemon
// behind it can be told from one with, and replaced. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "daemon/base/thread_annotations.h"
#include "daemon/net/uv_handle.h"
#include "protocol/result.h"

namespace skua {

class Listener {
 public:
  struct Options {
    std::string path;
    // Who may connect is decided by the peer's credentials; this decides who may try.
    bool allow_others = false;
    int inherited_fd = -1;
  };

  Listener() = default;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Takes the path, without listening yet. kUnavailable if a living daemon has it.
  Status bind(const Options& options);
  // `on_connection` is called for each peer that waits; it accepts with stream().
  Status listen(uv_loop_t& loop, std::function<void()> on_connection) SKUA_REQUIRES(loop_thread);
  // No more connections; the socket file goes.
  void close();

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(pipe_.get()); }
  // Where it listens, for people.
  const std::string& description() const { return description_; }

 private:
  Status take_lock();
  Status bind_path(bool allow_others);

  std::string path_;
  std::string description_;
  int lock_fd_ = -1;
  int fd_ = -1;
  bool owns_path_ = false;
  std::function<void()> on_connection_;
  UvHandle<uv_pipe_t> pipe_;
};

}  // namespace skua
