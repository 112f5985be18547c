#include "bench/peers/loop_echo.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>

#include "bench/peers/echo_packet.h"

namespace skua::bench {

namespace {

struct Peer {
  uv_pipe_t pipe = {};
  std::array<char, 4096> buffer = {};
};

void on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer) {
  if (bytes < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(stream), [](uv_handle_t* handle) { delete static_cast<Peer*>(handle->data); });
    return;
  }
  const uv_buf_t answer = uv_buf_init(buffer->base, static_cast<unsigned>(bytes));
  // A client has one packet under way, which always fits.
  if (bytes > 0 && uv_try_write(stream, &answer, 1) != bytes) ::_exit(1);
}

void on_connection(uv_stream_t* listener, int) {
  auto peer = std::make_unique<Peer>();
  uv_pipe_init(listener->loop, &peer->pipe, 0);
  peer->pipe.data = peer.get();
  auto* stream = reinterpret_cast<uv_stream_t*>(&peer->pipe);
  if (uv_accept(listener, stream) != 0) ::_exit(1);
  uv_read_start(
      stream,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& space = static_cast<Peer*>(handle->data)->buffer;
        *buffer = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
      },
      on_read);
  peer.release();  // freed by its close callback
}

[[noreturn]] void serve(const std::string& socket_path, int ready_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  uv_loop_t loop;
  uv_pipe_t listener;
  const bool listens = uv_loop_init(&loop) == 0 && uv_pipe_init(&loop, &listener, 0) == 0 &&
                       uv_pipe_bind(&listener, socket_path.c_str()) == 0 &&
                       uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 128, on_connection) == 0;
  if (!listens || ::write(ready_fd, "", 1) != 1) ::_exit(1);
  ::close(ready_fd);
  uv_run(&loop, UV_RUN_DEFAULT);
  ::_exit(0);
}

}  // namespace

LoopEcho::~LoopEcho() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Status LoopEcho::prepare() {
  int ready[2];
  if (::pipe(ready) != 0) return make_error(ErrorCode::kInternal, "no pipe");
  pid_ = ::fork();
  if (pid_ == 0) serve(socket_path_, ready[1]);
  ::close(ready[1]);
  char byte = 0;
  const bool is_ready = pid_ > 0 && ::read(ready[0], &byte, 1) == 1;
  ::close(ready[0]);
  if (is_ready) return {};
  return make_error(ErrorCode::kInternal, "the echo server does not start");
}

Result<Operation> LoopEcho::make_operation(std::size_t) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path_.size() >= sizeof(address.sun_path)) return make_error(ErrorCode::kUsage, "the folder's path is too long");
  std::copy(socket_path_.begin(), socket_path_.end(), address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return make_error(ErrorCode::kInternal, "cannot connect to the echo server");
  }
  return echo_operation(fd);
}

}  // namespace skua::bench
