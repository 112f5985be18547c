// ConnectionPool: which of a database's reader connections are in use.
//
// Invariant: every slot below opened() is either in idle_ or leased. Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/thread_annotations.h"

namespace skua {

class ConnectionPool {
 public:
  explicit ConnectionPool(std::uint32_t slots_max) : slots_max_(slots_max) {}

  // An idle slot, or a new one, or nothing if all are leased.
  std::optional<std::uint32_t> lease() SKUA_REQUIRES(loop_thread) {
    if (!idle_.empty()) {
      // Most recently used first: its page cache is warm.
      const std::uint32_t slot = idle_.back();
      idle_.pop_back();
      return slot;
    }
    if (opened_ == slots_max_) return std::nullopt;
    return opened_++;
  }

  // lease() would return nothing.
  bool is_exhausted() const SKUA_REQUIRES(loop_thread) { return idle_.empty() && opened_ == slots_max_; }

  void release(std::uint32_t slot) SKUA_REQUIRES(loop_thread) {
    SKUA_CHECK(slot < opened_ && idle_.size() < opened_);
    idle_.push_back(slot);
  }

  // How many lease() has left to give.
  std::uint32_t available() const SKUA_REQUIRES(loop_thread) { return slots_max_ - leased(); }
  std::uint32_t opened() const SKUA_REQUIRES(loop_thread) { return opened_; }
  std::uint32_t leased() const SKUA_REQUIRES(loop_thread) {
    return opened_ - static_cast<std::uint32_t>(idle_.size());
  }

 private:
  const std::uint32_t slots_max_;
  std::uint32_t opened_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::vector<std::uint32_t> idle_ SKUA_GUARDED_BY(loop_thread);
};

}  // namespace skua
