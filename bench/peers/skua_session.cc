#include "bench/peers/skua_session.h"

#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <variant>

#include "bench/peers/patience.h"
#include "client/src/response.h"
#include "client/src/system.h"
#include "client/src/unix_socket.h"
#include "protocol/limits.h"

namespace skua::bench {

namespace {

Error session_is_lost() { return make_error(ErrorCode::kLost, "the session with skuad is lost"); }

// Where the only word of this value is.
Result<std::size_t> only_word(const std::vector<std::uint64_t>& words, std::uint64_t value) {
  const auto at = std::find(words.begin(), words.end(), value);
  if (at != words.end() && std::count(words.begin(), words.end(), value) == 1) {
    return static_cast<std::size_t>(at - words.begin());
  }
  return make_error(ErrorCode::kInternal, "a request does not have a word that it must have");
}

}  // namespace

SkuaSession::SkuaSession(FileDescriptor socket)
    : socket_(std::move(socket)), reader_(kFrameBytesMax), busy_poll_(busy_poll_us_here(ConnectOptions().busy_poll_us), kClientAloneTimes) {}

Result<SkuaSession> SkuaSession::open(const SkuaServer& server) {
  SKUA_ASSIGN(FileDescriptor socket, connect_unix(server.socket_path(), kConnectTimeoutMs));
  SkuaSession session(std::move(socket));
  SKUA_ASSIGN(const Request hello, hello_request(++session.last_id_, "skua-bench"));
  SKUA_TRY(session.exchange(hello));
  return session;
}

Result<SkuaSession::Exchange> SkuaSession::ping() {
  SKUA_ASSIGN(const Request request, ping_request(next_head()));
  return exchange(request);
}

Result<SkuaSession::Exchange> SkuaSession::execute(std::string_view sql, const Parameters& parameters,
                                                   std::uint64_t known_columns) {
  SKUA_ASSIGN(const Request request,
              execute_request(next_head(), sql, parameters, 0, Durability::kFull, known_columns));
  return exchange(request);
}

Result<SkuaSession::Exchange> SkuaSession::exchange(const Request& request) {
  SKUA_TRY(send(request.frame.bytes()));
  Exchange exchange;
  exchange.sizes.request_bytes = request.frame.byte_count();
  while (true) {
    SKUA_ASSIGN(const FrameView frame, receive());
    SKUA_ASSIGN(const Response response, read_response(Frame::copy_of(frame)));
    if (const auto* error = std::get_if<Error>(&response.body)) return *error;
    const auto* rows = std::get_if<RowsReply>(&response.body);
    if (rows != nullptr && rows->columns_id != 0) exchange.columns_id = rows->columns_id;
    exchange.sizes.answer_bytes += response.byte_count;
    if (response.is_last) return exchange;
  }
}

Status SkuaSession::share_memory() {
  SKUA_ASSIGN(const Request request, rings_request(next_head()));
  SKUA_TRY(send_to_socket(request.frame.bytes()));
  FileDescriptor memory;
  while (true) {
    SKUA_ASSIGN(const std::optional<FrameView> frame, reader_.next());
    if (frame) {
      SKUA_ASSIGN(const Response response, read_response(Frame::copy_of(*frame)));
      if (const auto* error = std::get_if<Error>(&response.body)) return *error;
      break;
    }
    const std::span<char> space = reader_.space();
    const ssize_t received = receive_with_descriptor(socket_.get(), space, memory);
    if (received <= 0) return session_is_lost();
    reader_.commit(static_cast<std::size_t>(received));
  }
  SKUA_ASSIGN(std::shared_ptr<SharedRings> mapped, SharedRings::map(memory.get()));
  const Ring requests = mapped->requests();
  const Ring responses = mapped->responses();
  rings_ = std::make_unique<RingPair>(std::move(mapped), responses, requests, nullptr);
  reader_.allow_controls();
  return {};
}

Status SkuaSession::send(std::string_view bytes) {
  return rings_ != nullptr ? send_to_ring(bytes) : send_to_socket(bytes);
}

Status SkuaSession::send_to_socket(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return session_is_lost();
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// In pieces, if need be: the daemon never waits for a client that does not read.
Status SkuaSession::send_to_ring(std::string_view bytes) {
  const auto send_control = [this](RingControl control) {
    const std::uint64_t word = ring_control(control);
    return send_to_socket({reinterpret_cast<const char*>(&word), sizeof(word)});
  };
  if (!rings_->is_written()) SKUA_TRY(send_control(RingControl::kToRing));
  rings_->begin_to_write();
  while (!bytes.empty()) {
    const std::optional<std::size_t> room = rings_->out().room();
    if (!room) return session_is_lost();
    const std::string_view piece = bytes.substr(0, *room);
    bytes.remove_prefix(piece.size());
    rings_->out().put(piece);
    if (rings_->publish() != 0) SKUA_TRY(send_control(RingControl::kDoorbell));
    if (piece.empty()) ::sched_yield();
  }
  return {};
}

Result<FrameView> SkuaSession::receive() {
  while (true) {
    const bool from_ring = rings_ != nullptr && rings_->is_read();
    SKUA_ASSIGN(const std::optional<FrameView> frame, from_ring ? rings_->frames().next() : reader_.next());
    if (!frame) {
      SKUA_TRY(receive_more());
      continue;
    }
    if (frame->size() > 1) return *frame;
    if (!rings_->take_control(*reinterpret_cast<const std::uint64_t*>(frame->begin()))) {
      return make_error(ErrorCode::kInternal, "a control that cannot stand there");
    }
  }
}

Status SkuaSession::receive_more() {
  if (rings_ == nullptr || !rings_->is_read()) {
    const std::span<char> space = reader_.space();
    const ssize_t received = ::recv(socket_.get(), space.data(), space.size(), 0);
    if (received <= 0) return session_is_lost();
    reader_.commit(static_cast<std::size_t>(received));
    return {};
  }
  constexpr std::uint64_t kSleepUsMax = 10'000'000;
  std::optional<std::size_t> taken = rings_->take();
  std::uint64_t now = now_us();
  busy_poll_.begin(now);
  for (; taken == std::size_t{0} && busy_poll_.goes_on(now, apart_.is_beside(rings_->in().writer_core(), now)); now = now_us()) {
    ::sched_yield();
    taken = rings_->take();
  }
  // It may be woken for an answer that it has seen by itself before.
  for (const std::uint64_t until = now + kSleepUsMax; taken == std::size_t{0} && now < until; now = now_us()) {
    rings_->in().sleep(std::chrono::microseconds(until - now));
    taken = rings_->take();
  }
  busy_poll_.end(now);
  return taken > std::size_t{0} ? Status() : session_is_lost();
}

Result<ExecuteWindow> ExecuteWindow::build(std::string_view sql, std::size_t depth,
                                           std::uint64_t known_columns) {
  // Found in the finished request by values that nothing else in it has.
  constexpr std::uint64_t kId = 0x1d1d'9e37'79b9'7f4a;
  constexpr std::int64_t kParameter = 0x2a2a'85eb'ca6b'e4d3;
  SKUA_ASSIGN(const Request request, execute_request(RequestHead{kId, kSkuaDatabase}, sql, Parameters::of(kParameter),
                                                     0, Durability::kFull, known_columns));
  const auto* begin = reinterpret_cast<const std::uint64_t*>(request.frame.view().begin());
  const std::vector<std::uint64_t> words(begin, begin + request.frame.view().size());
  ExecuteWindow window;
  window.request_words_ = words.size();
  SKUA_ASSIGN(window.id_word_, only_word(words, kId));
  SKUA_ASSIGN(window.parameter_word_, only_word(words, static_cast<std::uint64_t>(kParameter)));
  for (std::size_t i = 0; i < depth; ++i) window.words_.insert(window.words_.end(), words.begin(), words.end());
  return window;
}

void ExecuteWindow::set(std::size_t index, std::uint64_t id, std::int64_t parameter) {
  // Cap'n Proto's words are little-endian.
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t* request = words_.data() + index * request_words_;
  request[id_word_] = id;
  request[parameter_word_] = static_cast<std::uint64_t>(parameter);
}

std::string_view ExecuteWindow::bytes() const {
  return {reinterpret_cast<const char*>(words_.data()), words_.size() * sizeof(std::uint64_t)};
}

Result<EchoSizes> measure_ping(const SkuaServer& server) {
  SKUA_ASSIGN(SkuaSession session, SkuaSession::open(server));
  SKUA_ASSIGN(const SkuaSession::Exchange exchange, session.ping());
  return exchange.sizes;
}

Result<EchoSizes> measure_execute(const SkuaServer& server, std::string_view sql, const Parameters& parameters) {
  SKUA_ASSIGN(SkuaSession session, SkuaSession::open(server));
  SKUA_ASSIGN(const SkuaSession::Exchange first, session.execute(sql, parameters));
  SKUA_ASSIGN(const SkuaSession::Exchange second, session.execute(sql, parameters, first.columns_id));
  return second.sizes;
}

}  // namespace skua::bench
