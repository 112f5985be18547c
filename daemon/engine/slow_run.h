// SlowRun: why something took long on a thread: the disk, or only others who wanted the processor.
//
// A read that waits for the disk must not run on the loop thread again; one that was interrupted half way because the
// machine is busy may. One for each thread. getrusage(2).
#pragma once

#include <sys/resource.h>

namespace skua {

class SlowRun {
 public:
  // Of the calling thread. Asked after a run that took long: true if, since it was last asked, the thread was made to give up
  // the processor and no block was read from a disk for it. What waits for a disk that the system does not count, as of
  // a file on the network, counts as waiting unless the thread was interrupted as well.
  static bool was_only_interrupted() {
    static thread_local SlowRun here;
    rusage usage = {};
    // Fails for no reason that could be met here, and then nothing is known.
    if (::getrusage(RUSAGE_THREAD, &usage) != 0) return false;
    return here.judge(usage.ru_inblock, usage.ru_nivcsw);
  }

  bool judge(long blocks_read, long interruptions) {
    const bool read = blocks_read != blocks_read_;
    const bool interrupted = interruptions != interruptions_;
    blocks_read_ = blocks_read;
    interruptions_ = interruptions;
    return interrupted && !read;
  }

 private:
  long blocks_read_ = 0;
  long interruptions_ = 0;
};

}  // namespace skua
