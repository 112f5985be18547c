// LoopWaker: lets any thread make the loop thread run a function soon. Created and destroyed on the loop thread.
#pragma once

#include <functional>

#include "daemon/net/uv_handle.h"

namespace skua {

class LoopWaker {
 public:
  LoopWaker(uv_loop_t& loop, std::function<void()> on_wake) : on_wake_(std::move(on_wake)), async_(new uv_async_t) {
    uv_async_init(&loop, async_.get(),
                  [](uv_async_t* async) { static_cast<LoopWaker*>(async->data)->on_wake_(); });
    async_->data = this;
  }

  // Any thread. Several calls may become one wake.
  void wake() { uv_async_send(async_.get()); }

 private:
  std::function<void()> on_wake_;
  UvHandle<uv_async_t> async_;
};

}  // namespace skua
