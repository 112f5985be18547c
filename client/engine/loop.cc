#include "client/engine/loop.h"

#include <algorithm>
#include <utility>

#include "protocol/result.h"

namespace skua {

namespace {

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

void Loop::CloseLoop::operator()(uv_loop_t* loop) const {
  // The handles' memory goes in their close callbacks. Not zero: it was stopped in between.
  while (uv_run(loop, UV_RUN_DEFAULT) != 0) {
  }
  SKUA_CHECK(uv_loop_close(loop) == 0);
  delete loop;
}

Loop::Loop(uv_loop_t* borrowed) : uv_(borrowed) {
  if (uv_ == nullptr) {
    uv_ = new uv_loop_t();
    SKUA_CHECK(uv_loop_init(uv_) == 0);
    own_.reset(uv_);
  }
  prepare_.reset(new uv_prepare_t());
  check_.reset(new uv_check_t());
  idle_.reset(new uv_idle_t());
  // These cannot fail.
  uv_prepare_init(uv_, prepare_.get());
  uv_check_init(uv_, check_.get());
  uv_idle_init(uv_, idle_.get());
  prepare_->data = this;
  check_->data = this;
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->turn(); });
  uv_check_start(check_.get(), [](uv_check_t* handle) { static_cast<Loop*>(handle->data)->turn(); });
  uv_unref(as_handle(prepare_.get()));
  uv_unref(as_handle(check_.get()));
}

Loop::~Loop() {
  SKUA_CHECK(first_ == nullptr && to_flush_.empty());
  prepare_.reset();
  check_.reset();
  idle_.reset();
}

void Loop::run_until(const bool& is_done) {
  // A loop that has nothing to wait for would return at once.
  uv_ref(as_handle(prepare_.get()));
  is_running_ = true;
  while (!is_done) uv_run(uv_, UV_RUN_DEFAULT);
  is_running_ = false;
  uv_unref(as_handle(prepare_.get()));
}

void Loop::announce(Flush& flush) { to_flush_.push_back(&flush); }

void Loop::withdraw(Flush& flush) {
  std::erase(to_flush_, &flush);
  std::replace(flushing_.begin(), flushing_.end(), &flush, static_cast<Flush*>(nullptr));
}

void Loop::turn() {
  // Those who are woken meanwhile have their turn when others had theirs.
  for (std::size_t left = woken_count_; left > 0 && first_ != nullptr; --left) {
    Wait& next = *first_;
    remove(next);
    next.on_turn();
  }
  flushing_.swap(to_flush_);
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    if (flushing_[i] != nullptr) flushing_[i]->flush();
  }
  flushing_.clear();
  const bool must_not_sleep = first_ != nullptr || !to_flush_.empty();
  if (must_not_sleep != is_idle_active_) {
    is_idle_active_ = must_not_sleep;
    if (must_not_sleep) {
      uv_idle_start(idle_.get(), [](uv_idle_t*) {});
    } else {
      uv_idle_stop(idle_.get());
    }
  }
}

void Loop::put(Wait& wait) {
  if (wait.is_woken_) return;
  wait.is_woken_ = true;
  ++woken_count_;
  wait.previous_ = last_;
  wait.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &wait;
  last_ = &wait;
}

void Loop::remove(Wait& wait) {
  if (!wait.is_woken_) return;
  wait.is_woken_ = false;
  --woken_count_;
  (wait.previous_ == nullptr ? first_ : wait.previous_->next_) = wait.next_;
  (wait.next_ == nullptr ? last_ : wait.next_->previous_) = wait.previous_;
}

Timer::Timer(Loop& loop, std::function<void()> ring) : ring_(std::move(ring)), timer_(new uv_timer_t()) {
  uv_timer_init(loop.uv(), timer_.get());
  timer_->data = this;
}

void Timer::start(std::uint64_t milliseconds, bool keeps_alive) {
  if (keeps_alive) {
    uv_ref(as_handle(timer_.get()));
  } else {
    uv_unref(as_handle(timer_.get()));
  }
  // The loop's idea of now may be as old as the callback it is in, and is cut to whole milliseconds.
  uv_update_time(timer_->loop);
  uv_timer_start(
      timer_.get(), [](uv_timer_t* handle) { static_cast<Timer*>(handle->data)->ring_(); },
      milliseconds == 0 ? 0 : milliseconds + 1, 0);
}

}  // namespace skua
