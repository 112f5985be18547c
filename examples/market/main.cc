// skua-market: a shop's HTTP service on Skua's coroutine engine. `skua-market --help` says how to start it.

#include <uv.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "examples/market/embedded_daemon.h"
#include "examples/market/http_server.h"
#include "examples/market/market.h"
#include "examples/market/routes.h"
#include "skua/engine.h"

namespace market {

namespace {

// How long a signal waits for requests that are being answered. A second one does not wait.
constexpr std::uint64_t kDrainMs = 3'000;

struct Arguments {
  std::uint16_t port = 8080;
  std::string socket;
  std::string database;
  std::string skuad = skuad_beside_us();
};

// A loop, what stops it, and the end of what is closed in it.
class Loop {
 public:
  Loop() { uv_loop_init(&loop_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  uv_loop_t& get() { return loop_; }

 private:
  uv_loop_t loop_{};
};

// Serves until SIGINT or SIGTERM, then drains.
class Serving {
 public:
  Serving(uv_loop_t& loop, HttpServer& server) : loop_(loop), server_(server) {
    uv_timer_init(&loop_, &patience_);
    patience_.data = this;
    for (std::size_t i = 0; i < signals_.size(); ++i) {
      uv_signal_init(&loop_, &signals_[i]);
      signals_[i].data = this;
      const uv_signal_cb call = [](uv_signal_t* handle, int) { static_cast<Serving*>(handle->data)->on_signal(); };
      uv_signal_start(&signals_[i], call, i == 0 ? SIGINT : SIGTERM);
    }
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  void run() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_close(reinterpret_cast<uv_handle_t*>(&patience_), nullptr);
    for (uv_signal_t& handle : signals_) uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
  }

 private:
  void on_signal() {
    if (is_draining_) return uv_stop(&loop_);
    is_draining_ = true;
    server_.drain([this] { uv_stop(&loop_); });
    uv_timer_start(&patience_, [](uv_timer_t* timer) { uv_stop(timer->loop); }, kDrainMs, 0);
  }

  uv_loop_t& loop_;
  HttpServer& server_;
  std::array<uv_signal_t, 2> signals_{};
  uv_timer_t patience_{};
  bool is_draining_ = false;
};

skua::Status serve(const Arguments& arguments) {
  std::unique_ptr<EmbeddedDaemon> daemon;
  std::string socket = arguments.socket;
  if (socket.empty()) {
    SKUA_ASSIGN(daemon, EmbeddedDaemon::start(arguments.skuad));
    socket = daemon->socket_path();
  }
  Loop loop;
  skua::EngineOptions options;
  options.connect = {.socket_path = socket, .database = arguments.database, .client_name = "skua-market"};
  options.loop = &loop.get();
  skua::Engine engine(options);
  SKUA_TRY(engine.run_task(engine.connect()));

  Market market(engine);
  Routes routes(market);
  SKUA_ASSIGN(std::unique_ptr<HttpServer> server,
              HttpServer::listen(loop.get(), arguments.port, [&](HttpExchange& exchange) { return routes.answer(exchange); }));
  std::printf("Listening on http://127.0.0.1:%u/\n", unsigned{server->port()});
  std::fflush(stdout);
  Serving(loop.get(), *server).run();
  return {};
}

}  // namespace

}  // namespace market

int main(int argc, char** argv) {
  market::Arguments arguments;
  CLI::App app("A small shop over HTTP, on Skua. GET / says what there is. SIGINT and SIGTERM end it.", "skua-market");
  app.add_option("--port", arguments.port, "on 127.0.0.1; 0: any that is free")->capture_default_str();
  app.add_option("--socket", arguments.socket, "of a daemon that runs; without: one of our own, with a sample shop");
  app.add_option("--database", arguments.database, "with the tables of samples/market.sql; without: the daemon's only one")
      ->needs("--socket");
  app.add_option("--skuad", arguments.skuad, "the daemon's program")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  // A client that is gone is an error of its socket, and no reason to end.
  std::signal(SIGPIPE, SIG_IGN);
  const skua::Status status = market::serve(arguments);
  if (!status) std::fprintf(stderr, "skua-market: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
