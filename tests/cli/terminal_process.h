// TerminalProcess: a program whose standard input, output and error are a terminal of its own, as a person
// would use it.
//
// Waits for text, never for time. Killed by the destructor if it still runs. One thread.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace skua::test {

class TerminalProcess {
 public:
  // The terminal has 80 columns.
  TerminalProcess(const std::vector<std::string>& command,
                  const std::map<std::string, std::string>& environment);
  TerminalProcess(const TerminalProcess&) = delete;
  TerminalProcess& operator=(const TerminalProcess&) = delete;
  ~TerminalProcess();

  // What a person types; "\x03" is Ctrl-C and "\x04" Ctrl-D.
  void type(std::string_view keys);
  // What appeared on the terminal since the last call, up to and with this text. Throws a Failure if it does
  // not come.
  std::string wait_for(std::string_view text);
  // Reads the rest of the output and returns the exit status, or -1 after a signal.
  int wait_for_exit();

 private:
  bool read_more();

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string seen_;  // and not yet waited for
};

}  // namespace skua::test
