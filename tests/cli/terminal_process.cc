#include "tests/cli/terminal_process.h"

#include <poll.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "tests/support/failure.h"
#include "tests/support/process.h"

namespace skua::test {

TerminalProcess::TerminalProcess(const std::vector<std::string>& command,
                                 const std::map<std::string, std::string>& environment) {
  const winsize size{24, 80, 0, 0};
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  require(pid_ >= 0, "forkpty");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
}

TerminalProcess::~TerminalProcess() {
  if (pid_ >= 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(terminal_);
}

void TerminalProcess::type(std::string_view keys) {
  require(::write(terminal_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()),
          "writing to the terminal");
}

bool TerminalProcess::read_more() {
  pollfd ready{terminal_, POLLIN, 0};
  const auto patience = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  require(::poll(&ready, 1, patience) == 1, "nothing more appears; so far: " + seen_);
  char piece[4096];
  const ssize_t count = ::read(terminal_, piece, sizeof(piece));
  // The last one to have the terminal open has closed it.
  if (count < 0 && errno == EIO) return false;
  require(count >= 0, "reading from the terminal");
  seen_.append(piece, static_cast<std::size_t>(count));
  return count > 0;
}

std::string TerminalProcess::wait_for(std::string_view text) {
  std::size_t at = seen_.find(text);
  while (at == std::string::npos) {
    require(read_more(), std::string(text) + " did not appear, only " + seen_);
    at = seen_.find(text);
  }
  const std::string before = seen_.substr(0, at + text.size());
  seen_.erase(0, at + text.size());
  return before;
}

int TerminalProcess::wait_for_exit() {
  while (read_more()) {
  }
  int status = 0;
  require(::waitpid(pid_, &status, 0) == pid_, "waitpid");
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace skua::test
