#include "tests/stress/client_processes.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <new>

#include "tests/support/failure.h"

namespace skua::stress {

namespace {

void close_and_forget(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

ClientProcesses::ClientProcesses(std::size_t count, const Body& body) {
  memory_bytes_ = count * sizeof(WorkerReport);
  memory_ = ::mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  test::require(memory_ != MAP_FAILED, "no shared memory");
  test::require(::pipe(ready_pipe_) == 0 && ::pipe(start_pipe_) == 0, "no pipe");
  for (std::size_t i = 0; i < count; ++i) {
    reports_.push_back(new (static_cast<WorkerReport*>(memory_) + i) WorkerReport);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    test::require(pid >= 0, "cannot fork");
    if (pid == 0) be_child(i, body);
    pids_.push_back(pid);
  }
  close_and_forget(ready_pipe_[1]);
  close_and_forget(start_pipe_[0]);
}

ClientProcesses::~ClientProcesses() {
  for (const pid_t pid : pids_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  for (int& fd : ready_pipe_) close_and_forget(fd);
  for (int& fd : start_pipe_) close_and_forget(fd);
  ::munmap(memory_, memory_bytes_);
}

void ClientProcesses::be_child(std::size_t process, const Body& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_and_forget(start_pipe_[1]);
  WorkerReport& report = *reports_[process];
  const auto wait_for_start = [&] {
    char byte = 0;
    test::require(::write(ready_pipe_[1], &byte, 1) == 1, "the starter is gone");
    close_and_forget(ready_pipe_[1]);
    // Ends with the end of file when the starter closes its side.
    test::require(::read(start_pipe_[0], &byte, 1) == 0, "a byte where none is sent");
  };
  try {
    body(process, report, wait_for_start);
    report.finished = true;
  } catch (const std::exception& exception) {
    report.add_error(exception.what());
  }
  // Not exit(): the daemon and everything else belong to the starter.
  ::_exit(report.finished ? 0 : 1);
}

void ClientProcesses::run() {
  char byte = 0;
  // The end of the file comes early if a child ended before it was ready: each closes its side after its byte.
  for (std::size_t ready = 0; ready < pids_.size() && ::read(ready_pipe_[0], &byte, 1) == 1;) ++ready;
  close_and_forget(start_pipe_[1]);
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    int status = 0;
    test::require(::waitpid(pids_[i], &status, 0) == pids_[i], "waitpid");
    if (WIFSIGNALED(status)) reports_[i]->add_error(fmt::format("ended by signal {}", WTERMSIG(status)));
  }
  pids_.clear();
}

}  // namespace skua::stress
