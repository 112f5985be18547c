// HttpExchange: one request and its answer, as the task sees it that works on it.
//
// The answer is whole, or comes in parts when its length is not known before; then the task waits until the client has taken a
// part before it makes the next one, so that memory is bounded. When the client is gone, the task is dropped where it waits.
// Made by HttpServer; belongs to the loop's thread.
#pragma once

#include <microhttpd.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "skua/started_task.h"
#include "skua/task.h"

namespace market {

inline constexpr std::size_t kBodyBytesMax = std::size_t{1} << 20;

class HttpServer;

class HttpExchange {
 public:
  HttpExchange(HttpServer& server, MHD_Connection& connection, std::string_view method, std::string_view path)
      : server_(server), connection_(connection), method_(method), path_(path) {}
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();

  std::string_view method() const { return method_; }
  // Without the query string; %XX is decoded.
  std::string_view path() const { return path_; }
  std::string_view body() const { return body_; }
  bool is_too_large() const { return is_too_large_; }

  // The whole answer; the text is copied.
  void answer(unsigned status, std::string_view content_type, std::string_view text);

  // An answer in parts: begin_parts(), then `co_await send(part)` for each; the end of the task is the end of the answer, and an
  // error closes the connection, so that the client sees that something is missing.
  void begin_parts(unsigned status, std::string_view content_type);
  class Sending {
   public:
    explicit Sending(HttpExchange& exchange) : exchange_(exchange) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> sender);
    void await_resume() const {}

   private:
    HttpExchange& exchange_;
  };
  // Waits until the client's connection has taken the part, which must live so long.
  [[nodiscard]] Sending send(std::string_view part) {
    part_ = part;
    return Sending(*this);
  }
  bool is_answered() const { return response_ != nullptr; }

 private:
  friend class HttpServer;

  MHD_Result on_call(const char* body, std::size_t& body_bytes);
  void start_task();
  // libmicrohttpd asks for up to `bytes_max` bytes of an answer in parts.
  ssize_t on_read(char* bytes, std::size_t bytes_max);
  void suspend();
  void resume();
  // Drops the task; what was not answered will not be.
  void abandon();
  MHD_Response* with_type(MHD_Response* response, unsigned status, std::string_view content_type);

  HttpServer& server_;
  MHD_Connection& connection_;
  std::string_view method_;  // libmicrohttpd's, as long as the request
  std::string_view path_;    // the same
  std::string body_;
  bool is_too_large_ = false;
  bool is_suspended_ = false;
  bool is_started_ = false;
  bool is_done_ = false;  // the task has ended
  bool is_queued_ = false;
  bool is_cut_ = false;
  unsigned status_ = 0;
  MHD_Response* response_ = nullptr;
  std::string_view part_;
  std::coroutine_handle<> sender_;
  // Goes first: its coroutine refers to the others.
  skua::StartedTask task_;
};

}  // namespace market
