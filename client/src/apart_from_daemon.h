// ApartFromDaemon: keeps a thread that polls for answers off the core on which the daemon makes them.
//
// Two that want the same core take turns there, at best. The kernel puts them there nevertheless: it shares out the threads that
// are awake by their number, so that of 32 clients that poll a half come to the daemon's core, and each of them has it about
// once in a millisecond (measured on Linux 6.18, two cores). So a client that finds itself there moves, and the kernel may move
// it back whenever it knows better.
//
// There is no way to ask for it but sched_setaffinity(2): the core is taken out of the thread's mask and put back at once. Only a
// thread that may run on every core is moved, so that nobody's choice of cores is touched, and the mask says what it said.
// Where that gained nothing, because somebody else keeps the other core, it is hardly tried any more. One thread.
#pragma once

#include <cstdint>

namespace skua {

class ApartFromDaemon {
 public:
  // While it polls: whether this thread still is on the daemon's core, which is RingReader::writer_core().
  bool is_beside(std::uint32_t daemon_core, std::uint64_t now_us);
  // The core it polled on was kept by somebody else.
  void on_core_lost(std::uint64_t now_us);

 private:
  std::uint32_t polls_beside_ = 0;  // in a row
  std::uint64_t next_move_us_ = 0;
  std::uint64_t rest_us_ = kRestMinUs;  // after a move

  static constexpr std::uint64_t kRestMinUs = 1'000;
};

}  // namespace skua
