#include "bench/peers/loop_echo.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <csignal>
#include <memory>
#include <vector>

#include "bench/peers/patience.h"
#include "client/src/unix_socket.h"

namespace skua::bench {

namespace {

struct Server {
  EchoSizes sizes;
  std::array<char, 64 << 10> requests = {};  // what they say is nobody's business, so all peers share it
};

struct Peer {
  explicit Peer(Server& echo) : server(echo), counter(echo.sizes.request_bytes) {}

  Server& server;
  EchoCounter counter;
  uv_pipe_t pipe = {};
};

struct Answer {
  uv_write_t write = {};
  std::vector<char> bytes;
};

// What a full socket does not take waits in the loop.
void answer(uv_stream_t* stream, std::size_t size) {
  static thread_local std::vector<char> filler;
  if (filler.size() < size) filler.resize(size);
  const uv_buf_t all = uv_buf_init(filler.data(), static_cast<unsigned>(size));
  const int tried = uv_try_write(stream, &all, 1);
  const std::size_t written = tried > 0 ? static_cast<std::size_t>(tried) : 0;
  if (written == size) return;
  auto rest = std::make_unique<Answer>();
  rest->bytes.resize(size - written);
  rest->write.data = rest.get();
  const uv_buf_t buffer = uv_buf_init(rest->bytes.data(), static_cast<unsigned>(rest->bytes.size()));
  const int queued = uv_write(&rest->write, stream, &buffer, 1,
                              [](uv_write_t* write, int) { delete static_cast<Answer*>(write->data); });
  if (queued == 0) rest.release();  // freed by its callback
}

void on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t*) {
  auto* peer = static_cast<Peer*>(stream->data);
  if (bytes < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(stream),
             [](uv_handle_t* handle) { delete static_cast<Peer*>(handle->data); });
    return;
  }
  const std::size_t requests = peer->counter.take(static_cast<std::size_t>(bytes));
  if (requests > 0) answer(stream, requests * peer->server.sizes.answer_bytes);
}

void on_connection(uv_stream_t* listener, int) {
  auto peer = std::make_unique<Peer>(*static_cast<Server*>(listener->data));
  uv_pipe_init(listener->loop, &peer->pipe, 0);
  peer->pipe.data = peer.get();
  auto* stream = reinterpret_cast<uv_stream_t*>(&peer->pipe);
  if (uv_accept(listener, stream) != 0) ::_exit(1);
  uv_read_start(
      stream,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& space = static_cast<Peer*>(handle->data)->server.requests;
        *buffer = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
      },
      on_read);
  peer.release();  // freed by its close callback
}

[[noreturn]] void serve(const std::string& socket_path, const EchoSizes& sizes, int ready_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  Server server;
  server.sizes = sizes;
  uv_loop_t loop;
  uv_pipe_t listener;
  const bool can_listen = uv_loop_init(&loop) == 0 && uv_pipe_init(&loop, &listener, 0) == 0;
  if (!can_listen) ::_exit(1);
  listener.data = &server;
  const bool listens = uv_pipe_bind(&listener, socket_path.c_str()) == 0 &&
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

Status LoopEcho::start() {
  int ready[2];
  if (::pipe(ready) != 0) return make_error(ErrorCode::kInternal, "no pipe");
  pid_ = ::fork();
  if (pid_ == 0) serve(socket_path_, sizes(), ready[1]);
  ::close(ready[1]);
  char byte = 0;
  const bool is_ready = pid_ > 0 && ::read(ready[0], &byte, 1) == 1;
  ::close(ready[0]);
  if (is_ready) return {};
  return make_error(ErrorCode::kInternal, "the echo server does not start");
}

Result<FileDescriptor> LoopEcho::connect() { return connect_unix(socket_path_, kConnectTimeoutMs); }

}  // namespace skua::bench
