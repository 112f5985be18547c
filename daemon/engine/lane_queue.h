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
  // For one that was taken and is still to be run.
  void put_back(std::unique_ptr<Job> job) SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    jobs_.push_front(std::move(job));
  }
  void wake() SKUA_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (jobs_.size() < wanted_ && !closed_) return;
    }
    filled_.notify_one();
  }
  std::size_t size() SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return jobs_.size();
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

  // Waits for a job, and takes the jobs behind it along while joins(those taken, the next one). Empty once the queue is
  // closed and empty.
  template <class Joins>
  std::vector<std::unique_ptr<Job>> pop_group(const Joins& joins) SKUA_EXCLUDES(mutex_) {
    std::vector<std::unique_ptr<Job>> group;
    const MutexLock lock(mutex_);
    idle_ = true;
    while (jobs_.empty() && !closed_) filled_.wait(mutex_);
    idle_ = false;
    while (!jobs_.empty() && (group.empty() || joins(group, *jobs_.front()))) {
      group.push_back(std::move(jobs_.front()));
      jobs_.pop_front();
    }
    return group;
  }

  // Does not wait: the job, if it is the only one, those before it are done, and may_go(it). Beside one thread
  // that calls pop_group().
  template <class MayGo>
  std::unique_ptr<Job> pop_only(const MayGo& may_go) SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!idle_ || jobs_.size() != 1 || !may_go(*jobs_.front())) return nullptr;
    std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  // Waits for a job, and once there is one for `count` of them, but no longer than `wait`. False if fewer came.
  bool wait_for(std::size_t count, std::chrono::microseconds wait) SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (jobs_.empty() && !closed_) filled_.wait(mutex_);
    if (jobs_.size() >= count) return true;
    const auto until = std::chrono::steady_clock::now() + wait;
    wanted_ = count;
    while (jobs_.size() < count && !closed_ && filled_.wait_until(mutex_, until)) {
    }
    wanted_ = 1;
    return jobs_.size() >= count;
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
  // The lane sleeps until there are so many.
  std::size_t wanted_ SKUA_GUARDED_BY(mutex_) = 1;
  // A thread is in pop_group(), and has come back from everything it took.
  bool idle_ SKUA_GUARDED_BY(mutex_) = false;
};

}  // namespace skua
