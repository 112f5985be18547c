// LaneQueue: jobs on their way from the loop thread to a lane's threads.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/core/executor.h"

namespace skua {

class LaneQueue {
 public:
  void push(std::unique_ptr<Job> job) SKUA_EXCLUDES(mutex_) {
    push_quietly(std::move(job));
    wake();
  }

  // The lane may sleep on until wake().
  void push_quietly(std::unique_ptr<Job> job) SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  void wake() { filled_.notify_one(); }

  // Waits for a job. Null once the queue is closed and empty.
  std::unique_ptr<Job> pop() SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (jobs_.empty() && !closed_) filled_.wait(mutex_);
    if (jobs_.empty()) return nullptr;
    std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  // Waits for a job, and takes the jobs behind it along while joins(those taken, the next one). Empty once the queue is
  // closed and empty.
  template <class Joins>
  std::vector<std::unique_ptr<Job>> pop_group(const Joins& joins) SKUA_EXCLUDES(mutex_) {
    std::vector<std::unique_ptr<Job>> group;
    const MutexLock lock(mutex_);
    while (jobs_.empty() && !closed_) filled_.wait(mutex_);
    while (!jobs_.empty() && (group.empty() || joins(group, *jobs_.front()))) {
      group.push_back(std::move(jobs_.front()));
      jobs_.pop_front();
    }
    return group;
  }

  // Waits for a job, and once there is one for `count` of them, but no longer than `wait`.
  void wait_for(std::size_t count, std::chrono::microseconds wait) SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (jobs_.empty() && !closed_) filled_.wait(mutex_);
    const auto until = std::chrono::steady_clock::now() + wait;
    while (jobs_.size() < count && !closed_ && filled_.wait_until(mutex_, until)) {
    }
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
