// LoopWaker: lets any thread make the loop thread run a function soon. Created and destroyed on the loop thread.
//
// An eventfd(2) of its own: uv_async_send() of libuv 1.44 writes before it is done, and the loop thread then spins, with
// sched_yield(2), until the sender runs again; on a busy machine that was milliseconds before an answer.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <functional>

#include "daemon/net/uv_handle.h"
#include "protocol/result.h"

namespace skua {

class LoopWaker {
 public:
  LoopWaker(uv_loop_t& loop, std::function<void()> on_wake)
      : on_wake_(std::move(on_wake)), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), poll_(new uv_poll_t) {
    SKUA_CHECK(fd_ >= 0);
    SKUA_CHECK(uv_poll_init(&loop, poll_.get(), fd_) == 0);
    poll_->data = this;
    uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) {
      auto* waker = static_cast<LoopWaker*>(poll->data);
      std::uint64_t count = 0;
      // Fails only if there is nothing to read, and then there is nothing to do.
      if (::read(waker->fd_, &count, sizeof(count)) == sizeof(count)) waker->on_wake_();
    });
  }
  ~LoopWaker() {
    uv_poll_stop(poll_.get());
    poll_.reset();
    ::close(fd_);
  }
  LoopWaker(const LoopWaker&) = delete;
  LoopWaker& operator=(const LoopWaker&) = delete;

  // Any thread. Several calls may become one wake.
  void wake() {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is woken anyway.
    [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof(one));
  }

 private:
  std::function<void()> on_wake_;
  const int fd_;
  UvHandle<uv_poll_t> poll_;
};

}  // namespace skua
