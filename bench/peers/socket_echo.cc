#include "bench/peers/socket_echo.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

namespace skua::bench {

namespace {

// Ends when the client's end of the socket is closed, which its process's end does.
[[noreturn]] void serve(int fd, const EchoSizes& sizes) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  EchoCounter counter(sizes.request_bytes);
  while (true) {
    const std::size_t bytes = read_filler(fd, SIZE_MAX);
    if (bytes == 0 || !write_filler(fd, counter.take(bytes) * sizes.answer_bytes)) ::_exit(0);
  }
}

}  // namespace

Result<FileDescriptor> SocketEcho::connect() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return make_error(ErrorCode::kInternal, "no socket pair");
  FileDescriptor client(ends[0]);
  FileDescriptor server(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return make_error(ErrorCode::kInternal, "cannot fork");
  if (pid == 0) {
    client.reset();
    serve(server.get(), sizes());
  }
  return client;
}

}  // namespace skua::bench
