#include "daemon/net/listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/net/uv_error.h"

namespace skua {

namespace {

constexpr int kBacklog = 1024;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("the socket path has {} bytes, the most is {} (sun_path, unix(7)): choose a shorter "
                                  "one than {}",
                                  path.size(), sizeof(address.sun_path) - 1, path));
  }
  path.copy(address.sun_path, path.size());
  return address;
}

// The process that answers at the path, 0 if nobody does.
pid_t answering_process(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  pid_t pid = 0;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    ucred peer = {};
    socklen_t size = sizeof(peer);
    pid = ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : -1;
  }
  ::close(fd);
  return pid;
}

Error in_use(const std::string& path, const sockaddr_un& address) {
  const pid_t pid = answering_process(address);
  return make_error(ErrorCode::kUnavailable,
                    fmt::format("another daemon serves {}{}: stop it, or choose another --socket", path,
                                pid > 0 ? fmt::format(" (process {})", pid) : std::string()));
}

}  // namespace

Listener::~Listener() { close(); }

void Listener::close() {
  if (pipe_ == nullptr && fd_ >= 0) ::close(fd_);
  pipe_.reset();
  fd_ = -1;
  // The lock is still held: nobody else can have taken the path meanwhile.
  if (owns_path_) ::unlink(path_.c_str());
  owns_path_ = false;
  if (lock_fd_ >= 0) ::close(lock_fd_);
  lock_fd_ = -1;
}

Status Listener::take_lock() {
  const std::string lock_path = path_ + ".lock";
  lock_fd_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return errno_error(fmt::format("cannot create {}", lock_path));
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return errno_error(fmt::format("cannot lock {}", lock_path));
  SKUA_ASSIGN(const sockaddr_un address, address_of(path_));
  return in_use(path_, address);
}

Status Listener::bind_path(bool allow_others) {
  SKUA_ASSIGN(const sockaddr_un address, address_of(path_));
  struct stat status = {};
  if (::lstat(path_.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return make_error(ErrorCode::kUsage, fmt::format("{} exists and is not a socket: it was left as it is", path_));
    }
    // Somebody may serve it who does not know of the lock.
    if (answering_process(address) != 0) return in_use(path_, address);
    ::unlink(path_.c_str());
  }
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return errno_error("cannot create a socket");
  const mode_t before = ::umask(allow_others ? 0111 : 0177);
  const int code = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  ::umask(before);
  if (code != 0) return errno_error(fmt::format("cannot bind {}", path_));
  owns_path_ = true;
  return {};
}

Status Listener::bind(const Options& options) {
  path_ = options.path;
  if (options.inherited_fd >= 0) {
    if (sd_is_socket_unix(options.inherited_fd, SOCK_STREAM, 1, nullptr, 0) <= 0) {
      return make_error(ErrorCode::kUsage, "the inherited descriptor is not a listening Unix stream socket");
    }
    fd_ = options.inherited_fd;
    description_ = "the inherited socket";
    return {};
  }
  SKUA_TRY(address_of(path_));
  description_ = path_;
  const std::filesystem::path folder = std::filesystem::absolute(path_).parent_path();
  if (!std::filesystem::exists(folder)) {
    if (::mkdir(folder.c_str(), options.allow_others ? 0755 : 0700) != 0) {
      return errno_error(fmt::format("cannot create the socket's folder {}", folder.string()));
    }
  }
  SKUA_TRY(take_lock());
  return bind_path(options.allow_others);
}

Status Listener::listen(uv_loop_t& loop, std::function<void()> on_connection) {
  on_connection_ = std::move(on_connection);
  pipe_.reset(new uv_pipe_t);
  uv_pipe_init(&loop, pipe_.get(), 0);
  if (const int code = uv_pipe_open(pipe_.get(), fd_); code != 0) return uv_error(code, "cannot use the socket");
  pipe_->data = this;
  const int code = uv_listen(stream(), kBacklog, [](uv_stream_t* server, int status) {
    if (status == 0) static_cast<Listener*>(server->data)->on_connection_();
  });
  if (code != 0) return uv_error(code, fmt::format("cannot listen at {}", description_));
  return {};
}

}  // namespace skua
