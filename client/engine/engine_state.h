// Engine::State: an engine's loop and its connections. Sleep: a coroutine that waits for a time. Thread: the loop's.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>

#include "client/engine/link_pool.h"
#include "client/engine/loop.h"
#include "skua/engine.h"

namespace skua {

class Engine::State {
 public:
  explicit State(EngineOptions engine_options)
      : options(std::move(engine_options)), loop(options.loop, options.connect.busy_poll_us), pool(loop, options) {}

  const EngineOptions options;
  Loop loop;
  LinkPool pool;
};

class [[nodiscard]] Sleep final : Wait {
 public:
  Sleep(Loop& loop, std::uint32_t milliseconds) : Wait(loop), milliseconds_(milliseconds) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    scope_ = scope_of(awaiting);
    if (scope_ != nullptr && scope_->cancelled() != nullptr) return false;
    suspend(awaiting, scope_);
    timer_.emplace(loop(), [this] { wake(); });
    timer_->start(milliseconds_, true);
    return true;
  }
  Status await_resume() {
    leave();
    if (scope_ != nullptr && scope_->cancelled() != nullptr) return *scope_->cancelled();
    return {};
  }

 private:
  void on_cancel() override { wake(); }

  std::uint32_t milliseconds_;
  TaskScope* scope_ = nullptr;
  std::optional<Timer> timer_;
};

}  // namespace skua
