// HttpServer: libmicrohttpd on the caller's libuv loop, and a coroutine for each request.
//
// libmicrohttpd has no thread of its own here: its epoll descriptor is polled by the loop, and it runs after the
// loop has waited, for all that arrived, and before it waits again, for all that was answered meanwhile. While a request's task works, its connection is suspended.
// All of it belongs to the loop's thread. Knows nothing of SQL.
//
// Limits: kConnectionsMax clients; a request's body is at most kBodyBytesMax, and what is longer is read, dropped and answered
// with 413; a client that takes nothing and sends nothing for kIdleSecondsMax is disconnected.
#pragma once

#include <microhttpd.h>
#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "examples/market/http_exchange.h"
#include "skua/task.h"

namespace market {

inline constexpr unsigned kConnectionsMax = 1'000;
inline constexpr unsigned kIdleSecondsMax = 30;

class HttpServer {
 public:
  // Answers one request. The exchange lives as long as the task. After an error, what is not answered in whole is cut.
  using Handler = std::function<skua::Task<skua::Status>(HttpExchange& exchange)>;

  // On 127.0.0.1; port 0 takes any that is free. kIo if the port cannot be had.
  static skua::Result<std::unique_ptr<HttpServer>> listen(uv_loop_t& loop, std::uint16_t port, Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  // Drops the tasks that still run and cuts their connections. The loop must run once more, to close the handles.
  ~HttpServer();

  std::uint16_t port() const;
  // Takes no new connections; calls `on_idle`, later, when no request is being answered any more.
  void drain(std::function<void()> on_idle);

 private:
  friend class HttpExchange;

  HttpServer(uv_loop_t& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {}
  skua::Status start(std::uint16_t port);
  template <class Handle>
  Handle* new_handle();

  MHD_Result on_request(MHD_Connection& connection, const char* url, const char* method, const char* body,
                        std::size_t& body_bytes, void*& exchange);
  void on_end_of_request(HttpExchange& exchange);
  // libmicrohttpd has something to do: in this turn of the loop, when all that came was looked at.
  void wake() { uv_idle_start(due_, [](uv_idle_t*) {}); }
  void run_if_due();
  void run();

  uv_loop_t& loop_;
  Handler handler_;
  MHD_Daemon* daemon_ = nullptr;
  // Owned by libmicrohttpd's connections, between the first call for a request and the end of it.
  std::unordered_set<HttpExchange*> exchanges_;
  std::function<void()> on_idle_;
  // Each frees itself when the loop has closed it.
  uv_poll_t* poll_ = nullptr;
  uv_timer_t* timer_ = nullptr;
  uv_idle_t* due_ = nullptr;  // active: run() is due, and the loop does not wait
  uv_check_t* after_wait_ = nullptr;
  uv_prepare_t* before_wait_ = nullptr;
};

}  // namespace market
