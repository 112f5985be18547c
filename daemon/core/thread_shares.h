// ThreadShares: how many of the reader threads each session has, and whether it may have one more.
//
// A statement keeps its thread until it has rows to send, which for an aggregate is its end; no queue is fair if one session
// has all threads by then. So a session may have no more threads than would be left free, and one thread in any case: a session
// alone gets half of them, and there is one for whoever comes next as long as there are fewer such sessions than threads. Loop
// thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "protocol/result.h"

namespace skua {

class ThreadShares {
 public:
  explicit ThreadShares(std::uint32_t threads) : free_(threads) {}

  bool has_free() const { return free_ > 0; }
  bool may_take(std::uint64_t session_id) const {
    const std::uint32_t taken = taken_by(session_id);
    return taken == 0 ? free_ > 0 : taken < free_;
  }
  void take(std::uint64_t session_id) {
    SKUA_CHECK(free_ > 0);
    --free_;
    for (auto& [id, taken] : taken_) {
      if (id == session_id) {
        ++taken;
        return;
      }
    }
    taken_.emplace_back(session_id, 1);
  }
  void give_back(std::uint64_t session_id) {
    const auto found = std::find_if(taken_.begin(), taken_.end(), [&](const auto& entry) { return entry.first == session_id; });
    SKUA_CHECK(found != taken_.end());
    ++free_;
    if (--found->second > 0) return;
    *found = taken_.back();
    taken_.pop_back();
  }

 private:
  std::uint32_t taken_by(std::uint64_t session_id) const {
    for (const auto& [id, taken] : taken_) {
      if (id == session_id) return taken;
    }
    return 0;
  }

  std::uint32_t free_;
  // Sessions that have threads, and how many: no more entries than threads.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> taken_;
};

}  // namespace skua
