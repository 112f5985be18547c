// NotifySocket: the other end of sd_notify(3). Receives what a service says of itself.
//
// A datagram socket at a path; give the path to the process as NOTIFY_SOCKET. One thread.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/process.h"

namespace skua::test {

class NotifySocket {
 public:
  explicit NotifySocket(std::string path);
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket();

  const std::string& path() const { return path_; }
  // Waits for a line, such as "READY=1", or one that starts so, such as "STATUS=". Fails if the process ends
  // first. Lines received before it was asked for count too.
  void wait_for(std::string_view line, const Process& process);
  // Every line received so far, one datagram after the other.
  const std::string& received() const { return received_; }
  void forget() { received_.clear(); }

 private:
  bool has_line(std::string_view line) const;
  void receive_all();

  std::string path_;
  int fd_ = -1;
  std::string received_;
};

}  // namespace skua::test
