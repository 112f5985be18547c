// BusyLoop: keeps a loop from sleeping as long as BusyPoll says that the next event is near. Loop thread.
#pragma once

#include <sched.h>

#include <cstdint>

#include "daemon/net/uv_handle.h"
#include "protocol/busy_poll.h"

namespace skua {

class BusyLoop {
 public:
  BusyLoop(uv_loop_t& loop, std::uint32_t limit_us) : poll_(limit_us), idle_(new uv_idle_t) {
    uv_idle_init(&loop, idle_.get());
  }

  // Something has come in.
  void on_event(std::uint64_t now_us) {
    if (!waits_) return;
    waits_ = false;
    poll_.end(now_us);
  }
  // All that has come in is done, and the loop is about to ask for more. False: it will sleep for it.
  bool before_poll(std::uint64_t now_us, bool may_be_busy) {
    if (!waits_) poll_.begin(now_us, may_be_busy);
    if (!may_be_busy) poll_.give_up();
    waits_ = true;
    const bool is_busy = poll_.goes_on(now_us);
    set_awake(is_busy);
    // To who was just answered, if that shares the core.
    if (is_busy) ::sched_yield();
    return is_busy;
  }
  // For this turn, whatever before_poll() said.
  void stay_awake() { set_awake(true); }

 private:
  void set_awake(bool awake) {
    if (awake == (uv_is_active(reinterpret_cast<const uv_handle_t*>(idle_.get())) != 0)) return;
    // A loop with an active idle handle does not wait for events. docs.libuv.org/en/v1.x/idle.html
    awake ? uv_idle_start(idle_.get(), [](uv_idle_t*) {}) : uv_idle_stop(idle_.get());
  }

  BusyPoll poll_;
  UvHandle<uv_idle_t> idle_;
  bool waits_ = false;
};

}  // namespace skua
