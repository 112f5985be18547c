#include "examples/market/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace market {

namespace {

// In one turn of the loop, so that a client that takes all it is sent does not keep it from the others.
constexpr int kRunsPerTurnMax = 4;
// Of each connection, for its requests' headers and the chunks of answers in parts. libmicrohttpd fills it with zeros after each
// request, so that more of it costs time.
constexpr std::size_t kConnectionBytes = std::size_t{16} << 10;

template <class Handle>
void close_and_free(Handle*& handle) {
  if (handle == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(handle, nullptr)),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace

skua::Result<std::unique_ptr<HttpServer>> HttpServer::listen(uv_loop_t& loop, std::uint16_t port, Handler handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(loop, std::move(handler)));
  SKUA_TRY(server->start(port));
  return server;
}

template <class Handle>
Handle* HttpServer::new_handle() {
  auto* handle = new Handle{};
  handle->data = this;
  return handle;
}

skua::Status HttpServer::start(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const MHD_AccessHandlerCallback request = [](void* self, MHD_Connection* connection, const char* url, const char* method,
                                               const char*, const char* body, std::size_t* body_bytes, void** exchange) {
    return static_cast<HttpServer*>(self)->on_request(*connection, url, method, body, *body_bytes, *exchange);
  };
  const MHD_RequestCompletedCallback end_of_request = [](void* self, MHD_Connection*, void** exchange,
                                                         MHD_RequestTerminationCode) {
    if (*exchange == nullptr) return;
    static_cast<HttpServer*>(self)->on_end_of_request(*static_cast<HttpExchange*>(std::exchange(*exchange, nullptr)));
  };
  errno = 0;
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, port, nullptr, nullptr, request, this,
                             MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, end_of_request, this,
                             MHD_OPTION_CONNECTION_LIMIT, kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSecondsMax,
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    const std::string reason = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
    return skua::make_error(skua::ErrorCode::kIo, "cannot listen on port " + std::to_string(port) + reason);
  }

  poll_ = new_handle<uv_poll_t>();
  uv_poll_init(&loop_, poll_, MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
  uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* poll, int, int) { static_cast<HttpServer*>(poll->data)->wake(); });
  timer_ = new_handle<uv_timer_t>();
  uv_timer_init(&loop_, timer_);
  due_ = new_handle<uv_idle_t>();
  uv_idle_init(&loop_, due_);
  after_wait_ = new_handle<uv_check_t>();
  uv_check_init(&loop_, after_wait_);
  uv_check_start(after_wait_, [](uv_check_t* check) { static_cast<HttpServer*>(check->data)->run_if_due(); });
  before_wait_ = new_handle<uv_prepare_t>();
  uv_prepare_init(&loop_, before_wait_);
  uv_prepare_start(before_wait_, [](uv_prepare_t* prepare) { static_cast<HttpServer*>(prepare->data)->run_if_due(); });
  return {};
}

HttpServer::~HttpServer() {
  if (daemon_ != nullptr) {
    for (HttpExchange* exchange : exchanges_) exchange->abandon();
    MHD_run(daemon_);  // takes note of the connections that are resumed
    MHD_stop_daemon(daemon_);
  }
  close_and_free(poll_);
  close_and_free(timer_);
  close_and_free(due_);
  close_and_free(after_wait_);
  close_and_free(before_wait_);
}

std::uint16_t HttpServer::port() const { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port; }

void HttpServer::drain(std::function<void()> on_idle) {
  // What it gives back is ours to close.
  ::close(MHD_quiesce_daemon(daemon_));
  on_idle_ = std::move(on_idle);
  wake();
}

MHD_Result HttpServer::on_request(MHD_Connection& connection, const char* url, const char* method, const char* body,
                                  std::size_t& body_bytes, void*& exchange) {
  if (exchange == nullptr) {
    auto* arrived = new HttpExchange(*this, connection, method, url);
    exchanges_.insert(arrived);
    exchange = arrived;
    return MHD_YES;
  }
  return static_cast<HttpExchange*>(exchange)->on_call(body, body_bytes);
}

void HttpServer::on_end_of_request(HttpExchange& exchange) {
  exchanges_.erase(&exchange);
  delete &exchange;
}

void HttpServer::run_if_due() {
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(due_)) != 0) run();
}

void HttpServer::run() {
  uv_idle_stop(due_);
  MHD_UNSIGNED_LONG_LONG wait_ms = 0;
  bool has_timeout = true;
  for (int runs = 0; runs < kRunsPerTurnMax && has_timeout && wait_ms == 0; ++runs) {
    MHD_run(daemon_);
    has_timeout = MHD_get_timeout(daemon_, &wait_ms) == MHD_YES;
  }
  if (has_timeout) {
    uv_timer_start(timer_, [](uv_timer_t* timer) { static_cast<HttpServer*>(timer->data)->wake(); }, wait_ms, 0);
  } else {
    uv_timer_stop(timer_);
  }
  if (on_idle_ && exchanges_.empty()) std::exchange(on_idle_, nullptr)();
}

}  // namespace market
