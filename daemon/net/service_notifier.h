// ServiceNotifier: tells systemd how the daemon is (sd_notify(3)), and feeds its watchdog if there is one. Does nothing
// when there is no service manager. Loop thread.
//
// Sends by itself instead of through sd_notify(), which waits for a manager that does not read, and the loop must not wait.
#pragma once

#include <functional>
#include <string>

#include "daemon/net/uv_handle.h"

namespace skua {

class ServiceNotifier {
 public:
  // `status_line` is asked at every beat of the watchdog, or every few seconds without one.
  ServiceNotifier(uv_loop_t& loop, std::function<std::string()> status_line);

  ~ServiceNotifier();
  ServiceNotifier(const ServiceNotifier&) = delete;
  ServiceNotifier& operator=(const ServiceNotifier&) = delete;

  void ready();
  void stopping();

 private:
  void beat();
  // Waits a moment at the most, or not at all.
  void send(const std::string& state, bool may_wait);

  int socket_ = -1;

  std::function<std::string()> status_line_;
  bool watchdog_ = false;
  UvHandle<uv_timer_t> timer_;
};

}  // namespace skua
