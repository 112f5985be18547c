#include "tests/support/real_daemon.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "tests/support/failure.h"

namespace skua::test {
namespace {

// The number behind a name in /proc/PID/status, such as "VmRSS:" (in KiB) or "Threads:".
std::size_t status_number(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    if (word != name) continue;
    std::size_t number = 0;
    status >> number;
    return number;
  }
  throw Failure("no " + name + " of process " + std::to_string(pid));
}

}  // namespace

bool has_sanitizer_report(const std::string& text) {
  for (const char* sign :
       {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error: "}) {
    if (text.find(sign) != std::string::npos) return true;
  }
  return false;
}

RealDaemon::RealDaemon(Options options)
    : options_(std::move(options)),
      socket_path_(options_.socket_path.empty() ? directory_ / "s" : options_.socket_path),
      log_path_(directory_ / "log"),
      notify_(directory_ / "n") {
  const bool databases_in_config = options_.config.find("[databases") != std::string::npos;
  if (options_.databases.empty() && !databases_in_config) options_.databases = {{"main", "main.db"}};
  if (!options_.config.empty()) directory_.write("skua.toml", options_.config);
  start();
}

RealDaemon::~RealDaemon() {
  if (process_ == nullptr) return;
  try {
    stop();
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "the daemon did not end well: %s\n", exception.what());
    // A destructor cannot fail the test in any other way; if the test is failing already, let it say why.
    if (std::uncaught_exceptions() == 0) std::abort();
  }
}

std::vector<std::string> RealDaemon::command() const {
  const std::string program = options_.program.empty() ? program_path("skuad") : options_.program;
  std::vector<std::string> command{program, "--socket", socket_path_};
  if (!options_.config.empty()) command.insert(command.end(), {"--config", directory_ / "skua.toml"});
  for (const auto& [name, file] : options_.databases) {
    command.insert(command.end(),
                   {"--database", name + "=" + (file.starts_with('/') ? file : directory_ / file)});
  }
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  return command;
}

void RealDaemon::start() {
  require(process_ == nullptr, "the daemon runs already");
  ProcessOptions options;
  options.environment = options_.environment;
  options.environment["NOTIFY_SOCKET"] = notify_.path();
  options.unset = {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};
  options.error_file = log_path_;
  options.output_file = log_path_;
  options.directory = directory_.path();
  notify_.forget();
  process_ = std::make_unique<Process>(command(), options);
  try {
    notify_.wait_for("READY=1", *process_);
  } catch (const Failure& failure) {
    process_.reset();
    throw Failure(std::string(failure.what()) + "\nlog: " + log());
  }
}

void RealDaemon::stop(int signal) {
  require(process_ != nullptr, "the daemon does not run");
  process_->send_signal(signal);
  wait_for_end();
}

void RealDaemon::wait_for_end() {
  const std::unique_ptr<Process> process = std::move(process_);
  const ProcessEnd outcome = process->wait();
  require(outcome.exit_status == 0, "the daemon ended with exit status " + std::to_string(outcome.exit_status) +
                                        ", signal " + std::to_string(outcome.signal) + "\nlog: " + log());
  check_log();
}

void RealDaemon::kill() {
  require(process_ != nullptr, "the daemon does not run");
  const std::unique_ptr<Process> process = std::move(process_);
  process->send_signal(SIGKILL);
  const ProcessEnd outcome = process->wait();
  require(outcome.signal == SIGKILL, "the daemon ended before it was killed\nlog: " + log());
  check_log();
}

void RealDaemon::check_log() const { require(!has_sanitizer_report(log()), "sanitizer report: " + log()); }

std::string RealDaemon::log() const { return read_file(log_path_); }

std::size_t RealDaemon::resident_bytes() const { return status_number(pid(), "VmRSS:") * 1024; }

std::size_t RealDaemon::thread_count() const { return status_number(pid(), "Threads:"); }

std::size_t RealDaemon::sleep_count() const { return status_number(pid(), "voluntary_ctxt_switches:"); }

std::size_t RealDaemon::descriptor_count() const {
  const std::filesystem::directory_iterator descriptors("/proc/" + std::to_string(pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

}  // namespace skua::test
