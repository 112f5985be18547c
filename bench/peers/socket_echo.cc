#include "bench/peers/socket_echo.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace skua::bench {

namespace {

using Packet = std::array<char, 64>;

bool write_all(int fd, const Packet& packet) {
  for (std::size_t done = 0; done < packet.size();) {
    const ssize_t count = ::write(fd, packet.data() + done, packet.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

bool read_all(int fd, Packet& packet) {
  for (std::size_t done = 0; done < packet.size();) {
    const ssize_t count = ::read(fd, packet.data() + done, packet.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

// Ends when the client's end of the socket is closed, which its process's end does.
[[noreturn]] void serve(int fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Packet packet;
  while (read_all(fd, packet) && write_all(fd, packet)) continue;
  ::_exit(0);
}

}  // namespace

Result<Operation> SocketEcho::make_operation(std::size_t) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    return make_error(ErrorCode::kInternal, "no socket pair");
  const pid_t pid = ::fork();
  if (pid < 0) return make_error(ErrorCode::kInternal, "cannot fork");
  if (pid == 0) {
    ::close(ends[0]);
    serve(ends[1]);
  }
  ::close(ends[1]);
  return Operation([fd = ends[0], packet = Packet{}]() mutable -> Result<std::uint64_t> {
    if (write_all(fd, packet) && read_all(fd, packet)) return std::uint64_t{1};
    return make_error(ErrorCode::kLost, "the echo is gone");
  });
}

}  // namespace skua::bench
