#include "bench/peers/skua_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "bench/peers/patience.h"

namespace skua::bench {

namespace {

[[noreturn]] void become_daemon(const std::string& program, const std::string& socket,
                                const std::string& database, const std::string& log,
                                const std::string& configuration) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
  }
  const std::string database_option = fmt::format("{}={}", kSkuaDatabase, database);
  ::execl(program.c_str(), program.c_str(), "--socket", socket.c_str(), "--database", database_option.c_str(),
          configuration.empty() ? nullptr : "--config", configuration.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

std::string default_skuad() {
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "skuad").string();
}

Result<SkuaServer> SkuaServer::start(const std::string& program, const std::string& folder,
                                     const std::string& configuration) {
  const std::string socket = folder + "/socket";
  const std::string log = folder + "/skuad.log";
  const pid_t pid = ::fork();
  if (pid < 0) return make_error(ErrorCode::kInternal, "cannot fork");
  if (pid == 0) become_daemon(program, socket, folder + "/bench.db", log, configuration);
  SkuaServer server(pid, socket);
  const auto until = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < until) {
    if (server.connect()) return server;
    if (::waitpid(pid, nullptr, WNOHANG) == pid) {
      server.pid_ = -1;
      return make_error(ErrorCode::kConnect, fmt::format("{} ended at once; see {}", program, log));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return make_error(ErrorCode::kConnect, fmt::format("{} does not answer", program));
}

SkuaServer::SkuaServer(SkuaServer&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_path_(std::move(other.socket_path_)) {}

SkuaServer::~SkuaServer() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

Result<Connection> SkuaServer::connect() const {
  ConnectOptions options;
  options.socket_path = socket_path_;
  options.database = kSkuaDatabase;
  options.client_name = "skua-bench";
  return Connection::connect(options);
}

}  // namespace skua::bench
