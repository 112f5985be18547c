#include "tests/stress/victim.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "tests/support/failure.h"

namespace skua::stress {

Victim::Victim(const Body& body) {
  int ready_pipe[2];
  test::require(::pipe(ready_pipe) == 0, "no pipe");
  pid_ = ::fork();
  test::require(pid_ >= 0, "cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ready_pipe[0]);
    try {
      body([fd = ready_pipe[1]] {
        const char byte = 0;
        test::require(::write(fd, &byte, 1) == 1, "the killer is gone");
      });
      while (true) ::pause();
    } catch (const std::exception& exception) {
      std::fprintf(stderr, "victim: %s\n", exception.what());
    }
    ::_exit(1);
  }
  ::close(ready_pipe[1]);
  ready_fd_ = ready_pipe[0];
}

Victim::Victim(Victim&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), ready_fd_(std::exchange(other.ready_fd_, -1)) {}

Victim::~Victim() {
  kill();
  if (ready_fd_ >= 0) ::close(ready_fd_);
}

void Victim::wait_until_ready() const {
  char byte = 0;
  test::require(::read(ready_fd_, &byte, 1) == 1, "a victim died before it was to");
}

void Victim::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace skua::stress
