// CompletionQueue: finished jobs on their way from the lanes back to the loop thread.
//
// push() from any thread; take() on the loop thread. The waker is called, outside of the lock, when the queue turns
// from empty to not empty; it must be callable from any thread (uv_async_send is).
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/core/executor.h"

namespace skua {

class CompletionQueue {
 public:
  // Before any lane runs.
  void set_waker(std::function<void()> waker) { waker_ = std::move(waker); }

  void push(std::unique_ptr<Job> job) SKUA_EXCLUDES(mutex_) {
    std::vector<std::unique_ptr<Job>> one;
    one.push_back(std::move(job));
    push(std::move(one));
  }

  // All of them at once.
  void push(std::vector<std::unique_ptr<Job>> jobs) SKUA_EXCLUDES(mutex_) {
    if (push_quietly(std::move(jobs)) && waker_) waker_();
  }
  // For the loop thread, which takes them before it sleeps. True if the queue was empty.
  bool push_quietly(std::vector<std::unique_ptr<Job>> jobs) SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    filled_.store(true, std::memory_order_release);
    if (jobs_.empty()) {
      jobs_ = std::move(jobs);
      return true;
    }
    std::move(jobs.begin(), jobs.end(), std::back_inserter(jobs_));
    return false;
  }

  std::vector<std::unique_ptr<Job>> take() SKUA_EXCLUDES(mutex_) {
    // Whoever is about to push calls the waker next.
    if (!filled_.load(std::memory_order_acquire)) return {};
    const MutexLock lock(mutex_);
    filled_.store(false, std::memory_order_relaxed);
    return std::exchange(jobs_, {});
  }

 private:
  std::function<void()> waker_;
  Mutex mutex_;
  // There are jobs, or were a moment ago: so that looking costs no lock.
  std::atomic<bool> filled_{false};
  std::vector<std::unique_ptr<Job>> jobs_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace skua
