// Answer: what a coroutine of the engine awaits of the daemon: the outcome of a request that is under way.
//
// Made of a function that gives the outcome once the responses for it are here. When the chain of tasks is asked to end, the
// request is cancelled in the daemon and its end awaited: what really became of it is what counts. UnderWay: gives a request up
// whose coroutine is destroyed. Thread: the loop's.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "client/engine/loop.h"
#include "client/src/channel.h"
#include "client/src/operation.h"

namespace skua {

// `Try`: a function that returns std::optional<Result<T>>, nothing as long as more responses are needed.
template <class Try>
class [[nodiscard]] Answer final : Wait, Channel::Watcher {
 public:
  using Outcome = typename std::invoke_result_t<Try&>::value_type;

  Answer(Loop& loop, Channel& channel, std::uint64_t id, Try attempt)
      : Wait(loop), channel_(channel), id_(id), try_(std::move(attempt)) {}
  ~Answer() { channel_.watch(id_, nullptr); }

  bool await_ready() {
    outcome_ = try_();
    return outcome_.has_value();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) {
    scope_ = scope_of(awaiting);
    suspend(awaiting, scope_);
    channel_.watch(id_, this);
    if (scope_ != nullptr && scope_->cancelled() != nullptr) channel_.cancel(id_);
  }
  Outcome await_resume() {
    leave();
    if (!*outcome_ && scope_ != nullptr && scope_->cancelled() != nullptr &&
        outcome_->error().code == ErrorCode::kCancelled) {
      return *scope_->cancelled();
    }
    return std::move(*outcome_);
  }

 private:
  void on_response() override { wake(); }
  void on_cancel() override { channel_.cancel(id_); }
  void on_turn() override {
    outcome_ = try_();
    if (outcome_) resume();
  }

  Channel& channel_;
  std::uint64_t id_;
  Try try_;
  TaskScope* scope_ = nullptr;
  std::optional<Outcome> outcome_;
};

class UnderWay {
 public:
  UnderWay(Channel& channel, std::uint64_t id) : channel_(channel), id_(id) {}
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  // Nothing, once its last response was taken.
  ~UnderWay() { channel_.abandon(id_); }

 private:
  Channel& channel_;
  std::uint64_t id_;
};

// Sends it and awaits its one response.
template <class Body>
Task<Result<Body>> call(Loop& loop, std::shared_ptr<Channel> channel, Operation operation) {
  const Result<std::uint64_t> started = channel->start(std::move(operation.request));
  if (!started) {
    operation.observation.fail(started.error());
    co_return started.error();
  }
  const std::uint64_t id = *started;
  const UnderWay under_way(*channel, id);
  co_return co_await Answer(loop, *channel, id, [&]() -> std::optional<Result<Body>> {
    if (!channel->is_ready(id)) return std::nullopt;
    return conclude<Body>(*channel, operation.observation, channel->take(id));
  });
}

}  // namespace skua
