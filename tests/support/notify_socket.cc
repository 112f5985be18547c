#include "tests/support/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/support/failure.h"

namespace skua::test {

NotifySocket::NotifySocket(std::string path) : path_(std::move(path)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  require(path_.size() < sizeof(address.sun_path), path_ + " is too long for a socket");
  std::memcpy(address.sun_path, path_.data(), path_.size());
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  require(fd_ >= 0, "no socket");
  require(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
          "cannot bind " + path_ + ": " + std::strerror(errno));
}

NotifySocket::~NotifySocket() {
  ::close(fd_);
  ::unlink(path_.c_str());
}

void NotifySocket::wait_for(std::string_view line, const Process& process) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    receive_all();
    if (has_line(line)) return;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    require(left.count() > 0, "the process never said " + std::string(line) + "; it said: " + received_);
    std::array<pollfd, 2> watched{{{fd_, POLLIN, 0}, {process.exit_descriptor(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (watched[0].revents == 0 && watched[1].revents != 0) {
      throw Failure("the process ended before it said " + std::string(line) + "; it said: " + received_);
    }
  }
}

bool NotifySocket::has_line(std::string_view line) const {
  const std::string wanted = "\n" + std::string(line);
  const std::string lines = "\n" + received_;
  for (std::size_t at = lines.find(wanted); at != std::string::npos; at = lines.find(wanted, at + 1)) {
    if (wanted.back() == '=' || lines[at + wanted.size()] == '\n') return true;
  }
  return false;
}

void NotifySocket::receive_all() {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    received_.append(buffer.data(), static_cast<std::size_t>(count));
    if (received_.back() != '\n') received_ += '\n';
  }
}

}  // namespace skua::test
