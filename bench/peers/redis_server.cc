#include "bench/peers/redis_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "bench/peers/patience.h"
#include "client/src/unix_socket.h"

namespace skua::bench {

namespace {

[[noreturn]] void become_redis(const std::string& program, const std::string& folder, const std::string& socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string log = folder + "/log";
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
  }
  // No file of its own configuration, no TCP port, nothing on the disk.
  ::execl(program.c_str(), program.c_str(), "--port", "0", "--unixsocket", socket.c_str(), "--unixsocketperm", "700",
          "--dir", folder.c_str(), "--save", "", "--appendonly", "no", "--daemonize", "no", nullptr);
  ::_exit(127);
}

// The path of the program if it is there.
Result<std::string> installed(const std::string& folder, const char* program, const char* package) {
  std::string path = folder + "/" + program;
  if (::access(path.c_str(), X_OK) == 0) return path;
  return make_error(ErrorCode::kNotFound, fmt::format("there is no {} in {} (on Debian: apt-get install {})", program,
                                                      folder, package));
}

}  // namespace

RedisServer::~RedisServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

Status RedisServer::start() {
  if (started_) return *started_;
  started_ = launch();
  if (*started_) started_ = wait_until_it_answers();
  return *started_;
}

Result<std::string> RedisServer::benchmark_program() const {
  return installed(programs_, "redis-benchmark", "redis-tools");
}

Status RedisServer::launch() {
  SKUA_ASSIGN(const std::string program, installed(programs_, "redis-server", "redis-server"));
  if (::mkdir(folder_.c_str(), 0700) != 0) {
    return make_error(ErrorCode::kIo, fmt::format("cannot make {}: {}", folder_, std::strerror(errno)));
  }
  pid_ = ::fork();
  if (pid_ == 0) become_redis(program, folder_, socket_path());
  if (pid_ > 0) return {};
  pid_ = 0;
  return make_error(ErrorCode::kInternal, "cannot fork");
}

Status RedisServer::wait_until_it_answers() {
  const auto until = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < until) {
    Result<RedisConnection> connection = RedisConnection::open(socket_path());
    if (connection && connection->send(resp_command({"PING"})) && connection->receive()) return {};
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      return make_error(ErrorCode::kConnect, "redis-server ended at once");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return make_error(ErrorCode::kConnect, "redis-server does not answer");
}

Result<RedisConnection> RedisConnection::open(const std::string& socket_path) {
  SKUA_ASSIGN(FileDescriptor socket, connect_unix(socket_path, kConnectTimeoutMs));
  return RedisConnection(std::move(socket));
}

Status RedisConnection::send(std::string_view commands) {
  while (!commands.empty()) {
    const ssize_t sent = ::send(socket_.get(), commands.data(), commands.size(), MSG_NOSIGNAL);
    if (sent <= 0) return make_error(ErrorCode::kLost, "redis-server is gone");
    commands.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<RespReply> RedisConnection::receive() {
  std::array<char, 16 << 10> space;
  while (true) {
    SKUA_ASSIGN(const std::optional<RespReply> reply, reader_.next());
    if (reply && reply->kind == RespReply::Kind::kError) return make_error(ErrorCode::kSql, std::string(reply->text));
    if (reply) return *reply;
    const ssize_t received = ::recv(socket_.get(), space.data(), space.size(), 0);
    if (received <= 0) return make_error(ErrorCode::kLost, "redis-server is gone");
    reader_.add({space.data(), static_cast<std::size_t>(received)});
  }
}

}  // namespace skua::bench
