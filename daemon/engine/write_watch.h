// WriteWatch: whether a snapshot of a database is still its newest state.
//
// All commits come from jobs that the loop thread hands to the database's writer. So while none is with the writer, and
// none was handed to it since a snapshot was taken, nothing can have been committed that the snapshot lacks. The loop thread
// counts the jobs that it hands over; the writer's thread counts those that it is done with, before anyone can learn
// of what they committed.
#pragma once

#include <atomic>
#include <cstdint>

#include "daemon/base/thread_annotations.h"

namespace skua {

class WriteWatch {
 public:
  // A job that may write is handed to the writer.
  void on_handed() SKUA_REQUIRES(loop_thread) { ++handed_; }
  // So many of them are done, committed or not. Any thread.
  void on_done(std::size_t count) { done_.fetch_add(count, std::memory_order_release); }

  // A point in time, as a reader needs it who keeps a snapshot that he takes after it.
  struct Mark {
    std::uint64_t handed = 0;
    // No job was with the writer.
    bool quiet = false;
  };
  Mark mark() const SKUA_REQUIRES(loop_thread) {
    return {handed_, done_.load(std::memory_order_acquire) == handed_};
  }
  // Nothing can have been committed since the mark.
  bool is_unchanged_since(const Mark& mark) const SKUA_REQUIRES(loop_thread) {
    return mark.quiet && mark.handed == handed_;
  }

 private:
  std::uint64_t handed_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::atomic<std::uint64_t> done_{0};
};

}  // namespace skua
