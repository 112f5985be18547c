#include "daemon/net/service_notifier.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace skua {

namespace {

constexpr std::uint64_t kStatusMs = 5'000;
// For the states that must not get lost.
constexpr timeval kSendPatience = {1, 0};

// $NOTIFY_SOCKET names a datagram socket: a path, or with an @ in front an abstract name.
int connect_to_manager(std::string_view name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() > sizeof(address.sun_path) || (name[0] != '/' && name[0] != '@')) return -1;
  name.copy(address.sun_path, name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof(kSendPatience));
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

ServiceNotifier::ServiceNotifier(uv_loop_t& loop, std::function<std::string()> status_line)
    : status_line_(std::move(status_line)) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name != nullptr) socket_ = connect_to_manager(name);
  if (socket_ < 0) return;
  std::uint64_t watchdog_us = 0;
  watchdog_ = sd_watchdog_enabled(0, &watchdog_us) > 0;
  // Twice in every period, as sd_watchdog_enabled(3) advises.
  const std::uint64_t period_ms = watchdog_ ? std::max<std::uint64_t>(1, watchdog_us / 2000) : kStatusMs;
  timer_.reset(new uv_timer_t);
  uv_timer_init(&loop, timer_.get());
  timer_->data = this;
  uv_timer_start(
      timer_.get(), [](uv_timer_t* timer) { static_cast<ServiceNotifier*>(timer->data)->beat(); }, period_ms,
      period_ms);
  uv_unref(reinterpret_cast<uv_handle_t*>(timer_.get()));
}

ServiceNotifier::~ServiceNotifier() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceNotifier::send(const std::string& state, bool may_wait) {
  if (socket_ < 0) return;
  // A message that the manager has no room for is about the past by the time it had.
  (void)::send(socket_, state.data(), state.size(), MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT));
}

void ServiceNotifier::ready() { send(fmt::format("READY=1\nSTATUS={}", status_line_()), true); }

void ServiceNotifier::stopping() { send(fmt::format("STOPPING=1\nSTATUS={}", status_line_()), true); }

void ServiceNotifier::beat() {
  send(fmt::format("{}STATUS={}", watchdog_ ? "WATCHDOG=1\n" : "", status_line_()), false);
}

}  // namespace skua
