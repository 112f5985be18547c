// LaneQueue: jobs on their way from the loop thread to a lane's threads.
#pragma once

#include <deque>
#include <memory>

#include "daemon/base/mutex.h"
#include "daemon/core/executor.h"

namespace skua {

class LaneQueue {
 public:
  void push(std::unique_ptr<Job> job) SKUA_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    filled_.notify_one();
  }

  // Waits for a job. Null once the queue is closed and empty.
  std::unique_ptr<Job> pop() SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (jobs_.empty() && !closed_) filled_.wait(mutex_);
    if (jobs_.empty()) return nullptr;
    std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  void close() SKUA_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

 private:
  Mutex mutex_;
  Condition filled_;
  std::deque<std::unique_ptr<Job>> jobs_ SKUA_GUARDED_BY(mutex_);
  bool closed_ SKUA_GUARDED_BY(mutex_) = false;
};

}  // namespace skua
