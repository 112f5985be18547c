#include "bench/peers/piped_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

namespace skua::bench {

namespace {

[[noreturn]] void become(const std::vector<std::string>& command, int input, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

Result<PipedProgram> PipedProgram::start(const std::vector<std::string>& command) {
  int input[2];
  int output[2];
  if (::pipe2(input, O_CLOEXEC) != 0) return make_error(ErrorCode::kInternal, "no pipe");
  FileDescriptor input_read(input[0]);
  FileDescriptor input_write(input[1]);
  if (::pipe2(output, O_CLOEXEC) != 0) return make_error(ErrorCode::kInternal, "no pipe");
  FileDescriptor output_read(output[0]);
  FileDescriptor output_write(output[1]);
  const pid_t pid = ::fork();
  if (pid == 0) become(command, input_read.get(), output_write.get());
  if (pid < 0) return make_error(ErrorCode::kInternal, "cannot fork");
  return PipedProgram(pid, std::move(input_write), std::move(output_read));
}

PipedProgram::PipedProgram(PipedProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      read_(std::move(other.read_)) {}

PipedProgram::~PipedProgram() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Status PipedProgram::write_line(std::string_view line) {
  std::string bytes(line);
  bytes += '\n';
  // A program that has ended must not end this one.
  std::signal(SIGPIPE, SIG_IGN);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(input_.get(), bytes.data() + done, bytes.size() - done);
    if (count <= 0) return make_error(ErrorCode::kLost, "a program does not read its input");
    done += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::string> PipedProgram::read_line() {
  while (true) {
    const std::size_t end = read_.find('\n');
    if (end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    if (!read_more()) return make_error(ErrorCode::kLost, "a program ended without an answer");
  }
}

Result<std::string> PipedProgram::finish() {
  input_.reset();
  while (read_more()) continue;
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  if (status == 0) return std::move(read_);
  return make_error(ErrorCode::kInternal, fmt::format("a program ended with wait status {}", status));
}

bool PipedProgram::read_more() {
  std::array<char, 16 << 10> space;
  const ssize_t count = ::read(output_.get(), space.data(), space.size());
  if (count <= 0) return false;
  read_.append(space.data(), static_cast<std::size_t>(count));
  return true;
}

}  // namespace skua::bench
