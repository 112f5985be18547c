#include "client/engine/attempts.h"

#include <algorithm>
#include <utility>

namespace skua {

Attempts::Attempts(const EngineOptions& engine, RequestOptions options)
    : options_(std::move(options)),
      deadline_ms_(options_.deadline_ms == 0 ? engine.deadline_ms : options_.deadline_ms),
      until_(Clock::now() + std::chrono::milliseconds(deadline_ms_ == 0 ? engine.wait_ms_max : deadline_ms_)),
      pause_ms_(std::max(engine.reconnect_ms_min, 1u)),
      pause_ms_max_(std::max(engine.reconnect_ms_max, pause_ms_)) {}

LinkPool::Wish Attempts::wish(Slot::Kind kind, std::uint32_t count) const { return {kind, count, until_, deadline_ms_}; }

const RequestOptions& Attempts::next() {
  ++count_;
  if (deadline_ms_ > 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - Clock::now()).count();
    options_.deadline_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(left, 1));
  }
  return options_;
}

std::optional<std::uint32_t> Attempts::pause_after(const Error& error) {
  const bool is_lost = error.code == ErrorCode::kLost ||
                       (error.code == ErrorCode::kInDoubt && !options_.idempotency_key.empty());
  if (error.code == ErrorCode::kInDoubt) in_doubt_ = true;
  if (!is_lost && error.code != ErrorCode::kUnavailable) return std::nullopt;
  // What was lost waits for a connection, which is pause enough.
  const std::uint32_t pause_ms = is_lost ? 0 : std::exchange(pause_ms_, std::min(pause_ms_ * 2, pause_ms_max_));
  if (Clock::now() + std::chrono::milliseconds(pause_ms) >= until_) return std::nullopt;
  return pause_ms;
}

Error Attempts::final_error(Error error) const {
  const bool says_nothing =
      error.is_retryable() || error.code == ErrorCode::kLimit || error.code == ErrorCode::kCancelled;
  if (!in_doubt_ || !says_nothing) return error;
  error.code = ErrorCode::kInDoubt;
  error.message = "the connection was lost before the answer, it may have been committed; and sent again: " + error.message;
  return error;
}

}  // namespace skua
