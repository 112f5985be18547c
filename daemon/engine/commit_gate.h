// CommitGate: held by the writer of a database while it commits, and by whoever needs a moment without commits. In the order
// of arrival, so that neither a stream of commits nor one of such moments keeps the other out. Any thread.
#pragma once

#include <cstdint>

#include "daemon/base/mutex.h"

namespace skua {

class CommitGate {
 public:
  void enter() SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    while (ticket != admitted_) left_.wait(mutex_);
  }
  void leave() SKUA_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      ++admitted_;
    }
    left_.notify_all();
  }

  // How often somebody has left it.
  std::uint64_t passes() SKUA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return admitted_;
  }

  class Pass {
   public:
    explicit Pass(CommitGate& gate) : gate_(gate) { gate_.enter(); }
    ~Pass() { gate_.leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    CommitGate& gate_;
  };

 private:
  Mutex mutex_;
  Condition left_;
  std::uint64_t next_ticket_ SKUA_GUARDED_BY(mutex_) = 0;
  // Whoever has this ticket is inside, or may go in.
  std::uint64_t admitted_ SKUA_GUARDED_BY(mutex_) = 0;
};

}  // namespace skua
