#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tests/support/build_paths.h"
#include "tests/support/failure.h"

extern char** environ;

namespace skua::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kProgramsVariable = "SKUA_TEST_PROGRAMS";

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe open_pipe() {
  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0, std::string("pipe2: ") + std::strerror(errno));
  return {ends[0], ends[1]};
}

int open_for_writing(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  require(fd >= 0, "cannot open " + path + ": " + std::strerror(errno));
  return fd;
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    if (options.environment.contains(name)) continue;
    if (std::find(options.unset.begin(), options.unset.end(), name) != options.unset.end()) continue;
    entries.push_back(text);
  }
  for (const auto& [name, value] : options.environment) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

int remaining_ms(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1'000'000));
}

// False at the end of the stream.
bool append_some(int fd, std::string& out) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;
  out.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

}  // namespace

bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#else
  return std::getenv(kProgramsVariable) != nullptr;
#endif
}

std::string program_path(std::string_view name) {
  const char* folder = std::getenv(kProgramsVariable);
  return (folder != nullptr ? std::string(folder) : build_path("bin")) + "/" + std::string(name);
}

Process::Process(const std::vector<std::string>& command, const ProcessOptions& options) {
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment = environment_of(options);
  // Everything that allocates happens before fork(), so that a test with threads may start processes.
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const Pipe input = open_pipe();
  const Pipe output =
      options.output_file.empty() ? open_pipe() : Pipe{-1, open_for_writing(options.output_file)};
  const Pipe error = options.error_file.empty() ? open_pipe() : Pipe{-1, open_for_writing(options.error_file)};
  const pid_t parent = ::getpid();

  pid_ = ::fork();
  require(pid_ >= 0, std::string("fork: ") + std::strerror(errno));
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(input.read, STDIN_FILENO);
    ::dup2(output.write, STDOUT_FILENO);
    ::dup2(error.write, STDERR_FILENO);
    // A test runner may have changed these; a program expects them as a shell would leave them.
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGCHLD}) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(127);
    ::execvpe(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
    ::dprintf(STDERR_FILENO, "cannot execute %s: %s\n", argument_pointers[0], std::strerror(errno));
    ::_exit(127);
  }
  ::close(input.read);
  ::close(output.write);
  ::close(error.write);
  input_fd_ = input.write;
  output_fd_ = output.read;
  error_fd_ = error.read;
  exit_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  require(exit_fd_ >= 0, std::string("pidfd_open: ") + std::strerror(errno));
  // A child that does not read its input must not end the test; write() reports EPIPE instead.
  ::signal(SIGPIPE, SIG_IGN);
  ::fcntl(input_fd_, F_SETFL, O_NONBLOCK);
  input_ = options.input;
  close_input_when_written_ = !options.keep_input_open;
  if (input_.empty() && close_input_when_written_) close_if_open(input_fd_);
}

Process::~Process() {
  if (!waited_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (int* fd : {&exit_fd_, &input_fd_, &output_fd_, &error_fd_}) close_if_open(*fd);
}

bool Process::is_running() const {
  if (waited_) return false;
  pollfd ended{exit_fd_, POLLIN, 0};
  return ::poll(&ended, 1, 0) == 0;
}

void Process::send_signal(int signal) const {
  require(!waited_ && ::kill(pid_, signal) == 0, "cannot signal process " + std::to_string(pid_));
}

void Process::write(std::string_view bytes) {
  input_.append(bytes);
  collect(Clock::now());
}

void Process::close_input() {
  close_input_when_written_ = true;
  if (input_.empty()) close_if_open(input_fd_);
}

// Moves bytes in and out until something was read, the process ended, or the time is over. False: it is all
// over.
bool Process::collect(Clock::time_point until) {
  while (true) {
    std::array<pollfd, 4> watched{{{input_.empty() ? -1 : input_fd_, POLLOUT, 0},
                                   {output_fd_, POLLIN, 0},
                                   {error_fd_, POLLIN, 0},
                                   {waited_ ? -1 : exit_fd_, POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), remaining_ms(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return true;
    if (watched[0].revents != 0) {
      const ssize_t count = ::write(input_fd_, input_.data(), input_.size());
      if (count > 0) input_.erase(0, static_cast<std::size_t>(count));
      if (count < 0 && errno != EAGAIN && errno != EINTR) {
        input_.clear();
        close_if_open(input_fd_);
      }
      if (input_.empty() && close_input_when_written_) close_if_open(input_fd_);
    }
    bool read = false;
    if (watched[1].revents != 0) {
      read = append_some(output_fd_, outcome_.output);
      if (!read) close_if_open(output_fd_);
    }
    if (watched[2].revents != 0) {
      if (append_some(error_fd_, outcome_.error)) {
        read = true;
      } else {
        close_if_open(error_fd_);
      }
    }
    if (read) return true;
    // The process has ended and everything it wrote is here. Its own children may still hold the pipes; they
    // are not waited for.
    if (watched[3].revents != 0 && watched[1].revents == 0 && watched[2].revents == 0) return false;
  }
}

std::string Process::read_until(std::string_view text) { return take_until(outcome_.output, text); }

std::string Process::read_error_until(std::string_view text) { return take_until(outcome_.error, text); }

std::string Process::take_until(std::string& stream, std::string_view text) {
  const Clock::time_point until = Clock::now() + kPatience;
  while (true) {
    if (const std::size_t at = stream.find(text); at != std::string::npos) {
      std::string taken = stream.substr(0, at + text.size());
      stream.erase(0, taken.size());
      return taken;
    }
    if (!collect(until) || Clock::now() >= until) {
      throw Failure("no \"" + std::string(text) + "\" came; stdout: " + outcome_.output +
                    "\nstderr: " + outcome_.error);
    }
  }
}

std::string Process::read_some() {
  const Clock::time_point until = Clock::now() + kPatience;
  while (outcome_.output.empty() && collect(until)) require(Clock::now() < until, "no output");
  return std::exchange(outcome_.output, {});
}

ProcessEnd Process::wait() {
  require(!waited_, "waited for a process twice");
  const Clock::time_point until = Clock::now() + kPatience;
  while (collect(until)) {
    require(Clock::now() < until,
            "process " + std::to_string(pid_) + " does not end; stderr: " + outcome_.error);
  }
  int status = 0;
  require(::waitpid(pid_, &status, 0) == pid_, "waitpid");
  waited_ = true;
  if (WIFEXITED(status)) outcome_.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
  return std::move(outcome_);
}

ProcessEnd run(const std::vector<std::string>& command, const ProcessOptions& options) {
  return Process(command, options).wait();
}

}  // namespace skua::test
