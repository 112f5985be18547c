#include "examples/market/embedded_daemon.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "examples/market/sample_shop.h"
#include "skua/statement_splitter.h"

namespace market {

namespace {

constexpr std::chrono::seconds kStartPatience{30};

skua::Status run_script(skua::Connection& connection, std::string_view script) {
  skua::StatementSplitter splitter;
  splitter.add(script);
  while (true) {
    std::optional<skua::StatementSplitter::Statement> statement = splitter.next();
    if (!statement) statement = splitter.rest();
    if (!statement) return {};
    SKUA_TRY(connection.execute(statement->sql));
  }
}

}  // namespace

std::string skuad_beside_us() {
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "skuad").string();
}

skua::Result<std::unique_ptr<EmbeddedDaemon>> EmbeddedDaemon::start(const std::string& skuad) {
  std::error_code error;
  std::string folder = (std::filesystem::temp_directory_path(error) / "skua-market-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    return skua::make_error(skua::ErrorCode::kIo, "cannot make " + folder + ": " + std::strerror(errno));
  }
  std::unique_ptr<EmbeddedDaemon> daemon(new EmbeddedDaemon(folder));
  daemon->pid_ = ::fork();
  if (daemon->pid_ < 0) return skua::make_error(skua::ErrorCode::kInternal, "cannot fork");
  if (daemon->pid_ == 0) daemon->become_daemon(skuad);
  SKUA_ASSIGN(skua::Connection connection, daemon->connect());
  SKUA_TRY(run_script(connection, kSampleShop));
  return daemon;
}

void EmbeddedDaemon::become_daemon(const std::string& skuad) const {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Ctrl-C is for us alone: the daemon is needed until the last request was answered.
  ::setpgid(0, 0);
  const int log = ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
  }
  const std::string database = "market=" + folder_ + "/market.db";
  ::execl(skuad.c_str(), skuad.c_str(), "--socket", socket_path().c_str(), "--database", database.c_str(), nullptr);
  ::_exit(127);
}

skua::Result<skua::Connection> EmbeddedDaemon::connect() {
  skua::ConnectOptions options;
  options.socket_path = socket_path();
  const auto until = std::chrono::steady_clock::now() + kStartPatience;
  while (true) {
    skua::Result<skua::Connection> connection = skua::Connection::connect(options);
    if (connection || std::chrono::steady_clock::now() > until) return connection;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      const bool is_missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
      return skua::make_error(skua::ErrorCode::kConnect, is_missing ? "cannot run skuad" : "skuad ended at once");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

EmbeddedDaemon::~EmbeddedDaemon() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace market
