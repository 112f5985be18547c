// ExitCode: what `skua` tells the shell that started it. Scripts depend on these numbers. Any thread.
#pragma once

#include "protocol/error.h"

namespace skua::cli {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,         // the SQL, the data, the input file or the output failed
  kUsage = 2,          // called in a wrong way, or a database that does not exist was named
  kNoConnection = 3,   // the daemon cannot be reached, refuses this user, or was lost
  kRefused = 4,        // the deadline passed, or a limit refused it
  kInterrupted = 130,  // Ctrl-C
};

ExitCode exit_code_of(const Error& error);

}  // namespace skua::cli
