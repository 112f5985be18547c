#include "bench/peers/socket_echo.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "bench/peers/echo_packet.h"

namespace skua::bench {

namespace {

// Ends when the client's end of the socket is closed, which its process's end does.
[[noreturn]] void serve(int fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  EchoPacket packet;
  while (read_packet(fd, packet) && write_packet(fd, packet)) continue;
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
  return echo_operation(ends[0]);
}

}  // namespace skua::bench
