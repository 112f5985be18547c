// Process: a child process with captured output. run() is the short form: start, feed, wait.
//
// A child is killed when the thread that started it ends, so a test that dies leaves none behind. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace skua::test {

// Nothing a test waits for takes this long unless it hangs; it bounds the wait for an event, and is never slept
// through.
inline constexpr std::chrono::seconds kPatience{120};

// True if the programs under test are built with a sanitizer, where memory and time are not what users see: in a build
// that is, and whenever SKUA_TEST_PROGRAMS names the programs of another one.
bool is_sanitized();

// The path of a built program, skuad or skua: of this build, or in the folder that SKUA_TEST_PROGRAMS names. That is how
// the tests meet a daemon built with ThreadSanitizer, under which Criterion does not run.
std::string program_path(std::string_view name);

struct ProcessOptions {
  std::string input;                               // all of its stdin, unless keep_input_open
  bool keep_input_open = false;                    // its stdin is a pipe that write() feeds
  std::map<std::string, std::string> environment;  // added to, or in place of, the test's own
  std::vector<std::string> unset;                  // taken out of it
  std::string output_file;                         // stdout goes there instead of being captured
  std::string error_file;                          // so stderr
  std::string directory;                           // where it runs
};

// How a process ended.
struct ProcessEnd {
  int exit_status = -1;  // -1: ended by a signal
  int signal = 0;        // 0: it exited
  std::string output;
  std::string error;
};

class Process {
 public:
  Process(const std::vector<std::string>& command, const ProcessOptions& options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // SIGKILL, if it still runs

  pid_t pid() const { return pid_; }
  // A descriptor that becomes readable when it ends (pidfd_open(2)).
  int exit_descriptor() const { return exit_fd_; }
  bool is_running() const;
  void send_signal(int signal) const;

  void write(std::string_view bytes);
  void close_input();
  // Bytes of its stdout up to and with `text`, as soon as they are there. Fails at the end of the output.
  std::string read_until(std::string_view text);
  // The same of its stderr.
  std::string read_error_until(std::string_view text);
  // Reads the next bytes of its stdout; empty at the end.
  std::string read_some();

  // Collects the rest of the output and waits for the end.
  ProcessEnd wait();

 private:
  bool collect(std::chrono::steady_clock::time_point until);
  std::string take_until(std::string& stream, std::string_view text);

  pid_t pid_ = -1;
  int exit_fd_ = -1;
  int input_fd_ = -1;
  int output_fd_ = -1;
  int error_fd_ = -1;
  bool waited_ = false;
  std::string input_;  // not yet written
  bool close_input_when_written_ = false;
  ProcessEnd outcome_;
};

ProcessEnd run(const std::vector<std::string>& command, const ProcessOptions& options = {});

}  // namespace skua::test
