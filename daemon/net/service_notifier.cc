#include "daemon/net/service_notifier.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>

namespace skua {

namespace {

constexpr std::uint64_t kStatusMs = 5'000;

}  // namespace

ServiceNotifier::ServiceNotifier(uv_loop_t& loop, std::function<std::string()> status_line)
    : status_line_(std::move(status_line)) {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
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

void ServiceNotifier::ready() {
  sd_notify(0, fmt::format("READY=1\nSTATUS={}", status_line_()).c_str());
}

void ServiceNotifier::stopping() {
  sd_notify(0, fmt::format("STOPPING=1\nSTATUS={}", status_line_()).c_str());
}

void ServiceNotifier::beat() {
  sd_notify(0, fmt::format("{}STATUS={}", watchdog_ ? "WATCHDOG=1\n" : "", status_line_()).c_str());
}

}  // namespace skua
