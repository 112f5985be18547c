// Janitor: the one list of all that expires: deadlines, idle transactions, idle streams, sessions without hello.
//
// Timers fire in run(), on the loop thread, in order of time; resolution is whatever the caller's is. A timer that was
// added or cancelled by another timer's action is honoured at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "daemon/base/thread_annotations.h"

namespace skua {

class Janitor {
 public:
  // 0 is never a timer.
  using TimerId = std::uint64_t;

  TimerId add(std::uint64_t at_us, std::function<void()> action) SKUA_REQUIRES(loop_thread) {
    const TimerId id = ++last_id_;
    timers_.emplace(std::pair(at_us, id), std::move(action));
    times_.emplace(id, at_us);
    return id;
  }

  // A timer that has fired, and 0, are ignored.
  void cancel(TimerId id) SKUA_REQUIRES(loop_thread) {
    const auto found = times_.find(id);
    if (found == times_.end()) return;
    timers_.erase({found->second, id});
    times_.erase(found);
  }

  std::optional<std::uint64_t> next_us() const SKUA_REQUIRES(loop_thread) {
    if (timers_.empty()) return std::nullopt;
    return timers_.begin()->first.first;
  }

  void run(std::uint64_t now_us) SKUA_REQUIRES(loop_thread) {
    while (!timers_.empty() && timers_.begin()->first.first <= now_us) {
      const auto first = timers_.begin();
      const std::function<void()> action = std::move(first->second);
      times_.erase(first->first.second);
      timers_.erase(first);
      action();
    }
  }

 private:
  std::map<std::pair<std::uint64_t, TimerId>, std::function<void()>> timers_ SKUA_GUARDED_BY(loop_thread);
  std::unordered_map<TimerId, std::uint64_t> times_ SKUA_GUARDED_BY(loop_thread);
  TimerId last_id_ SKUA_GUARDED_BY(loop_thread) = 0;
};

}  // namespace skua
