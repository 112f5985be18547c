#include "bench/peers/skua_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <variant>

#include "bench/peers/patience.h"
#include "client/src/response.h"
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

SkuaSession::SkuaSession(FileDescriptor socket) : socket_(std::move(socket)), reader_(kFrameBytesMax) {}

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

Status SkuaSession::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return session_is_lost();
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<FrameView> SkuaSession::receive() {
  while (true) {
    SKUA_ASSIGN(const std::optional<FrameView> frame, reader_.next());
    if (frame) return *frame;
    const std::span<char> space = reader_.space();
    const ssize_t received = ::recv(socket_.get(), space.data(), space.size(), 0);
    if (received <= 0) return session_is_lost();
    reader_.commit(static_cast<std::size_t>(received));
  }
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
