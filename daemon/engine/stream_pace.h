// StreamPace: makes a thread that makes batches of a stream leave the cores to short work, where there are too few for both.
//
// Such a thread keeps its core until its time slice is over, which may be milliseconds, and so does the client that reads its
// batches. If the loop thread answered short reads while a batch was made, and the thread lost its core to somebody meanwhile,
// there is more to do than there are cores: then it rests for as long as the batch took before it makes the next one. Where
// there is a core for everyone, or nobody else reads, it never rests. Of one thread.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "daemon/base/clock.h"

namespace skua {

class StreamPace {
 public:
  static constexpr std::uint64_t kRestUsMax = 1'000;

  // What can be seen at one moment: the clock, the short reads that all databases have answered, and how often the thread has
  // lost its core.
  struct Sight {
    std::uint64_t time_us = 0;
    std::uint64_t short_reads = 0;
    std::uint64_t preemptions = 0;
  };

  explicit StreamPace(const std::atomic<std::uint64_t>& short_reads) : short_reads_(short_reads) {}

  void begin_batch() { begin_ = look(); }
  // The batch is on its way. False: there was no need to rest.
  bool rest() const {
    const std::uint64_t us = rest_us(begin_, look());
    if (us > 0) std::this_thread::sleep_for(std::chrono::microseconds(us));
    return us > 0;
  }

  // How long a thread rests after a batch that was made between the two.
  static std::uint64_t rest_us(const Sight& before, const Sight& after) {
    if (after.short_reads == before.short_reads || after.preemptions == before.preemptions) return 0;
    return std::min(after.time_us - before.time_us, kRestUsMax);
  }

 private:
  Sight look() const {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return {monotonic_us(), short_reads_.load(std::memory_order_relaxed), static_cast<std::uint64_t>(usage.ru_nivcsw)};
  }

  const std::atomic<std::uint64_t>& short_reads_;
  Sight begin_;
};

}  // namespace skua
