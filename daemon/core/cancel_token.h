// CancelToken: the one flag by which a request is stopped, wherever it is.
//
// Set on the loop thread; read by the lane that runs the request, from SQLite's progress handler. The first reason
// stays. A token belongs to one request, so a late cancel can never hit another.
#pragma once

#include <atomic>
#include <cstdint>

namespace skua {

enum class CancelReason : std::uint8_t { kNone = 0, kClient, kDeadline, kSessionGone, kLimit, kAborted, kWalBudget, kShutdown };

class CancelToken {
 public:
  void cancel(CancelReason reason) {
    CancelReason expected = CancelReason::kNone;
    reason_.compare_exchange_strong(expected, reason, std::memory_order_relaxed);
  }
  CancelReason reason() const { return reason_.load(std::memory_order_relaxed); }
  bool is_cancelled() const { return reason() != CancelReason::kNone; }

  // A write that waits in its lane is either started there or withdrawn by the loop thread, whoever comes first; the other
  // one is told false. Starting again, for a replay, is no news.
  bool start() {
    Turn expected = Turn::kWaiting;
    return turn_.compare_exchange_strong(expected, Turn::kStarted, std::memory_order_acq_rel) ||
           expected == Turn::kStarted;
  }
  bool withdraw() {
    Turn expected = Turn::kWaiting;
    return turn_.compare_exchange_strong(expected, Turn::kWithdrawn, std::memory_order_acq_rel);
  }
  // The lane is done with it for now, and it waits again.
  void put_back() { turn_.store(Turn::kWaiting, std::memory_order_release); }
  bool is_withdrawn() const { return turn_.load(std::memory_order_relaxed) == Turn::kWithdrawn; }

 private:
  enum class Turn : std::uint8_t { kWaiting, kStarted, kWithdrawn };

  std::atomic<CancelReason> reason_{CancelReason::kNone};
  std::atomic<Turn> turn_{Turn::kWaiting};
};

}  // namespace skua
