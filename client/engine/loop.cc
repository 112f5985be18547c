#include "client/engine/loop.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "client/src/system.h"
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

Loop::Loop(uv_loop_t* borrowed, std::uint32_t busy_poll_us) : uv_(borrowed), busy_poll_(busy_poll_us_here(busy_poll_us), kClientAloneTimes) {
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
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->turn_and_rest(); });
  uv_check_start(check_.get(), [](uv_check_t* handle) { static_cast<Loop*>(handle->data)->turn(); });
  uv_unref(as_handle(prepare_.get()));
  uv_unref(as_handle(check_.get()));
}

Loop::~Loop() {
  std::erase(sources_, nullptr);
  SKUA_CHECK(first_ == nullptr && to_flush_.empty() && sources_.empty());
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

void Loop::add(Source& source) { sources_.push_back(&source); }

void Loop::remove(Source& source) { std::replace(sources_.begin(), sources_.end(), &source, static_cast<Source*>(nullptr)); }

void Loop::on_taken() {
  if (!is_waiting_) return;
  is_waiting_ = false;
  const std::uint64_t now = now_us();
  busy_poll_.end(now);
  if (busy_poll_.has_lost_the_core()) apart_.on_core_lost(now);
}

void Loop::take_from_sources() {
  const bool was_dozing = std::exchange(is_dozing_, false);
  // What is taken may end connections, and make others.
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i] != nullptr && was_dozing) sources_[i]->stay_awake();
    if (sources_[i] != nullptr && sources_[i]->take()) on_taken();
  }
  std::erase(sources_, nullptr);
}

void Loop::turn() {
  take_from_sources();
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
}

bool Loop::polls_busily() {
  const auto is_expecting = [](const Source* source) { return source != nullptr && source->is_expecting(); };
  const auto source = std::find_if(sources_.begin(), sources_.end(), is_expecting);
  if (source == sources_.end()) {
    is_waiting_ = false;
    return false;
  }
  const std::uint64_t now = now_us();
  if (!std::exchange(is_waiting_, true)) busy_poll_.begin(now);
  if (!busy_poll_.goes_on(now, apart_.is_beside((*source)->daemon_core(), now))) return false;
  // To the daemon, if that shares the core.
  ::sched_yield();
  return true;
}

bool Loop::doze() {
  is_dozing_ = true;
  return std::all_of(sources_.begin(), sources_.end(), [](Source* source) { return source == nullptr || source->doze(); });
}

void Loop::turn_and_rest() {
  turn();
  const bool must_not_sleep = first_ != nullptr || !to_flush_.empty() || polls_busily() || !doze();
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
