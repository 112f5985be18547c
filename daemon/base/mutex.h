// std::mutex and std::condition_variable with the annotations that clang's analysis needs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "daemon/base/thread_annotations.h"

namespace skua {

class SKUA_CAPABILITY("mutex") Mutex {
 public:
  void lock() SKUA_ACQUIRE() { mutex_.lock(); }
  bool try_lock() SKUA_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() SKUA_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class SKUA_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SKUA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() SKUA_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class Condition {
 public:
  // May wake without a reason: wait in a loop.
  void wait(Mutex& mutex) SKUA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False once the time has come.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point until) SKUA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, until);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace skua
