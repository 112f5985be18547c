#include "examples/market/http_exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "examples/market/http_server.h"

namespace market {

HttpExchange::~HttpExchange() {
  if (response_ != nullptr) MHD_destroy_response(response_);
}

void HttpExchange::answer(unsigned status, std::string_view content_type, std::string_view text) {
  // libmicrohttpd does not write through the pointer, although it takes one that could.
  auto* bytes = const_cast<char*>(text.data());
  response_ = with_type(MHD_create_response_from_buffer(text.size(), bytes, MHD_RESPMEM_MUST_COPY), status, content_type);
}

void HttpExchange::begin_parts(unsigned status, std::string_view content_type) {
  const MHD_ContentReaderCallback read = [](void* self, std::uint64_t, char* bytes, std::size_t bytes_max) {
    return static_cast<HttpExchange*>(self)->on_read(bytes, bytes_max);
  };
  response_ = with_type(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBodyBytesMax, read, this, nullptr), status,
                        content_type);
}

MHD_Response* HttpExchange::with_type(MHD_Response* response, unsigned status, std::string_view content_type) {
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, std::string(content_type).c_str());
  status_ = status;
  return response;
}

void HttpExchange::Sending::await_suspend(std::coroutine_handle<> sender) {
  exchange_.sender_ = sender;
  exchange_.resume();
}

MHD_Result HttpExchange::on_call(const char* body, std::size_t& body_bytes) {
  if (body_bytes > 0) {
    is_too_large_ = is_too_large_ || body_bytes > kBodyBytesMax - body_.size();
    if (!is_too_large_) body_.append(body, body_bytes);
    body_bytes = 0;
    return MHD_YES;
  }
  if (!is_started_) start_task();
  if (response_ != nullptr) {
    if (is_queued_) return MHD_YES;
    is_queued_ = true;
    return MHD_queue_response(&connection_, status_, response_);
  }
  if (is_done_) return MHD_NO;
  suspend();
  return MHD_YES;
}

void HttpExchange::start_task() {
  is_started_ = true;
  task_ = skua::StartedTask::start(server_.handler_(*this), [this](const skua::Status& status) {
    is_done_ = true;
    is_cut_ = !status;
    resume();
  });
}

ssize_t HttpExchange::on_read(char* bytes, std::size_t bytes_max) {
  // What goes on may make the next part at once.
  if (part_.empty() && sender_) std::exchange(sender_, nullptr).resume();
  if (is_cut_) {
    // libmicrohttpd closes the connection only when it next hears of it, which may be never.
    const MHD_ConnectionInfo* info = MHD_get_connection_info(&connection_, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != nullptr) ::shutdown(info->connect_fd, SHUT_RDWR);
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  if (!part_.empty()) {
    const std::size_t count = std::min(part_.size(), bytes_max);
    std::memcpy(bytes, part_.data(), count);
    part_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  if (is_done_) return MHD_CONTENT_READER_END_OF_STREAM;
  suspend();
  return 0;
}

void HttpExchange::suspend() {
  is_suspended_ = true;
  MHD_suspend_connection(&connection_);
}

void HttpExchange::resume() {
  if (!is_suspended_) return;
  is_suspended_ = false;
  MHD_resume_connection(&connection_);
  server_.wake();
}

void HttpExchange::abandon() {
  task_ = {};
  sender_ = nullptr;
  is_done_ = true;
  is_cut_ = true;
  resume();
}

}  // namespace market
