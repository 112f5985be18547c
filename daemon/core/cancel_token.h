// CancelToken: the one flag by which a request is stopped, wherever it is.
//
// Set on the loop thread; read by the lane that runs the request, from SQLite's progress handler. The first reason
// stays. A token belongs to one request, so a late cancel can never hit another.
#pragma once

#include <atomic>
#include <cstdint>

namespace skua {

enum class CancelReason : std::uint8_t { kNone = 0, kClient, kDeadline, kSessionGone, kLimit, kAborted };

class CancelToken {
 public:
  void cancel(CancelReason reason) {
    CancelReason expected = CancelReason::kNone;
    reason_.compare_exchange_strong(expected, reason, std::memory_order_relaxed);
  }
  CancelReason reason() const { return reason_.load(std::memory_order_relaxed); }
  bool is_cancelled() const { return reason() != CancelReason::kNone; }

 private:
  std::atomic<CancelReason> reason_{CancelReason::kNone};
};

}  // namespace skua
