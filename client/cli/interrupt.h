// Interrupt: what Ctrl-C does. A SIGINT sets a flag and cancels the request under way.
//
// The signal handler needs static state; it is all in interrupt.cc. Main thread only, and one CancelOnInterrupt
// at a time.
#pragma once

#include "skua/connection.h"

namespace skua::cli {

class Interrupt {
 public:
  enum class Manner {
    kLeave,  // for commands: with no request under way, and at the second Ctrl-C, the process exits with 130 at
             // once
    kStay,   // for the shell: only sets the flag and cancels
  };

  // Without SA_RESTART, so that a blocked read or write returns and its caller looks at requested().
  static void install(Manner manner);
  static bool requested();
  static void clear();
};

// While it lives, Ctrl-C cancels what its connection waits for.
class CancelOnInterrupt {
 public:
  explicit CancelOnInterrupt(const Connection& connection);
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;
  ~CancelOnInterrupt();

 private:
  const Canceller canceller_;
};

}  // namespace skua::cli
