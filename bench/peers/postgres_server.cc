#include "bench/peers/postgres_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "bench/peers/patience.h"
#include "bench/peers/postgres_connection.h"

namespace skua::bench {

namespace {

// Of a child that became no program.
constexpr int kNotStarted = 126;

// Every commit is synced before it is acknowledged, as Skua's is. The rest keeps what PostgreSQL does beside
// that out of a run of minutes: checkpoints, vacuuming, replication.
constexpr const char* kSettings[] = {
    "listen_addresses=",        "fsync=on",          "synchronous_commit=on", "full_page_writes=on",
    "shared_buffers=256MB",     "wal_level=minimal", "max_wal_senders=0",     "max_wal_size=2GB",
    "checkpoint_timeout=30min", "autovacuum=off",    "max_connections=200",
};

// Who PostgreSQL runs as, if the caller is root.
const passwd* owner() {
  if (::geteuid() != 0) return nullptr;
  if (const passwd* postgres = ::getpwnam("postgres")) return postgres;
  return ::getpwnam("nobody");
}

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& folder) {
  if (const passwd* user = owner()) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)
      ::_exit(kNotStarted);
  }
  // After the change of user, which takes it back. SIGQUIT: the postmaster takes its children with it.
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  // The programs look at the current folder, which may be closed to this user.
  if (::chdir(folder.c_str()) != 0) ::_exit(kNotStarted);
  const int fd = ::open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

Error system_error(const std::string& what) {
  return make_error(ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

PostgresServer::~PostgresServer() {
  if (pid_ <= 0) return;
  // A fast shutdown: it disconnects whoever is left, and ends in order.
  ::kill(pid_, SIGINT);
  ::waitpid(pid_, nullptr, 0);
}

Status PostgresServer::start() {
  if (started_) return *started_;
  started_ = make_cluster();
  if (*started_) started_ = launch();
  if (*started_) started_ = wait_until_it_answers();
  return *started_;
}

std::string PostgresServer::connection_string() const {
  return fmt::format("host='{}' user=bench dbname=postgres", folder_);
}

Status PostgresServer::make_cluster() {
  for (const char* program : {"initdb", "postgres"}) {
    if (::access((programs_ + "/" + program).c_str(), X_OK) == 0) continue;
    return make_error(
        ErrorCode::kNotFound,
        fmt::format("PostgreSQL is not installed: there is no {} in {} (on Debian: apt-get install "
                    "postgresql-15)",
                    program, programs_));
  }
  if (::mkdir(folder_.c_str(), 0700) != 0) return system_error("cannot make " + folder_);
  if (const passwd* user = owner()) {
    // The run's own folder, one above, must let that user through.
    const std::string parent = std::filesystem::path(folder_).parent_path().string();
    if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0 || ::chmod(parent.c_str(), 0711) != 0) {
      return system_error("cannot give " + folder_ + " to the user " + user->pw_name);
    }
  }
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("cannot fork");
  if (pid == 0) {
    become({programs_ + "/initdb", "--pgdata=data", "--username=bench", "--auth=trust", "--encoding=UTF8",
            "--locale=C"},
           folder_);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotStarted) {
    return make_error(ErrorCode::kIo, fmt::format("the user that runs initdb cannot reach {}", folder_));
  }
  return make_error(ErrorCode::kIo, fmt::format("initdb failed: {}", last_words()));
}

Status PostgresServer::launch() {
  std::vector<std::string> command = {programs_ + "/postgres", "-D", folder_ + "/data", "-k", folder_};
  for (const char* setting : kSettings) {
    command.emplace_back("-c");
    command.emplace_back(setting);
  }
  pid_ = ::fork();
  if (pid_ == 0) become(command, folder_);
  if (pid_ > 0) return {};
  pid_ = 0;
  return system_error("cannot fork");
}

Status PostgresServer::wait_until_it_answers() {
  const auto until = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < until) {
    if (PostgresConnection::open(*this)) return {};
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      return make_error(ErrorCode::kConnect, fmt::format("postgres ended at once: {}", last_words()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return make_error(ErrorCode::kConnect, fmt::format("postgres does not answer: {}", last_words()));
}

std::string PostgresServer::last_words() const {
  std::ifstream log(folder_ + "/log");
  std::string last = "it wrote nothing";
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace skua::bench
