// RealDaemon: a skuad process of its own, in a folder of its own, on a socket with a short path.
//
//   RealDaemon daemon;                                // one new database, "main"
//   RealDaemon daemon({.config = "[limits]\n..."});   // with a configuration file
//
// The constructor returns when the daemon says READY=1. stop() expects a clean end: exit status 0 and no
// sanitizer report in the log; the destructor does the same if the test has not, and ends the test program if
// it fails. One thread.
#pragma once

#include <csignal>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/notify_socket.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace skua::test {

class RealDaemon {
 public:
  struct Options {
    // By name; a relative path is in the daemon's folder. Empty: {"main", "main.db"}, unless the configuration
    // has a [databases section.
    std::map<std::string, std::string> databases;
    std::string config;                  // TOML; written to a file and given with --config if not empty
    std::vector<std::string> arguments;  // added at the end
    std::string socket_path;             // empty: one in the daemon's folder
    std::map<std::string, std::string> environment;
    std::string program;  // empty: skuad
  };

  RealDaemon() : RealDaemon(Options{}) {}
  explicit RealDaemon(Options options);
  RealDaemon(const RealDaemon&) = delete;
  RealDaemon& operator=(const RealDaemon&) = delete;
  ~RealDaemon();

  const std::string& socket_path() const { return socket_path_; }
  // Its working folder: databases, socket, log.
  const TemporaryDirectory& directory() const { return directory_; }
  // The file of the database "main".
  std::string database_path() const { return directory_ / "main.db"; }
  pid_t pid() const { return process_->pid(); }
  Process& process() { return *process_; }
  NotifySocket& notify() { return notify_; }

  // Starts it again, with the same folder and arguments, after stop() or kill().
  void start();
  // Sends the signal and expects a clean end.
  void stop(int signal = SIGTERM);
  // The second half of stop(): for a test that sent the signal itself.
  void wait_for_end();
  // kill -9, and waits for the end.
  void kill();
  bool is_running() const { return process_ != nullptr; }

  // What it wrote to stderr, over all starts.
  std::string log() const;
  // From /proc: VmRSS, open descriptors, threads.
  std::size_t resident_bytes() const;
  std::size_t descriptor_count() const;
  std::size_t thread_count() const;
  // Of its loop thread: how often it has gone to sleep.
  std::size_t sleep_count() const;

 private:
  std::vector<std::string> command() const;
  void check_log() const;

  Options options_;
  TemporaryDirectory directory_;
  std::string socket_path_;
  std::string log_path_;
  NotifySocket notify_;
  std::unique_ptr<Process> process_;
};

// True if the text holds a report of a sanitizer.
bool has_sanitizer_report(const std::string& text);

}  // namespace skua::test
