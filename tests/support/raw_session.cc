#include "tests/support/raw_session.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"

namespace skua::test {
namespace {

void wait_until_ready(int fd, short events) {
  pollfd watched{fd, events, 0};
  const int patience_ms = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, patience_ms);
  } while (ready < 0 && errno == EINTR);
  require(ready > 0, events == POLLIN ? "the daemon does not answer" : "the daemon does not read");
}

std::string error_text(wire::Response::Reader response) {
  if (!response.isError()) return "no error";
  return std::string(view_of(response.getError().getMessage()));
}

}  // namespace

RawSession::RawSession(const std::string& socket_path) : reader_(kFrameBytesMax) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  require(socket_path.size() < sizeof(address.sun_path), socket_path + " is too long for a socket");
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd_ >= 0, "no socket");
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const std::string reason = std::strerror(errno);
    close();
    throw Failure("cannot connect to " + socket_path + ": " + reason);
  }
}

RawSession::~RawSession() { close(); }

void RawSession::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool RawSession::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      wait_until_ready(fd_, POLLOUT);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void RawSession::send(std::string_view bytes) {
  require(try_send(bytes), std::string("the daemon hung up: ") + std::strerror(errno));
}

void RawSession::shut_down_sending() { ::shutdown(fd_, SHUT_WR); }

std::optional<Frame> RawSession::try_receive() {
  while (true) {
    auto next = must(reader_.next(), "reading a response");
    if (next) return Frame::copy_of(*next);
    wait_until_ready(fd_, POLLIN);
    const std::span<char> space = reader_.space();
    const ssize_t count = ::recv(fd_, space.data(), space.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    // A daemon that closes with unread bytes in its buffer makes the kernel say ECONNRESET instead of the end.
    if (count == 0 || (count < 0 && errno == ECONNRESET)) {
      require(reader_.buffered_bytes() == 0, "the session ended inside a response");
      return std::nullopt;
    }
    require(count > 0, std::string("recv: ") + std::strerror(errno));
    reader_.commit(static_cast<std::size_t>(count));
  }
}

Frame RawSession::receive() {
  std::optional<Frame> frame = try_receive();
  require(frame.has_value(), "the daemon closed the session");
  return std::move(*frame);
}

bool RawSession::is_silent_for_ms(int milliseconds) {
  pollfd watched{fd_, POLLIN, 0};
  return reader_.buffered_bytes() == 0 && ::poll(&watched, 1, milliseconds) == 0;
}

void RawSession::expect_end() { require(!try_receive().has_value(), "a response came instead of the end"); }

Frame RawSession::hello_request(std::uint64_t id) {
  return request(id, [](wire::Request::Builder root) {
    auto hello = root.initHello();
    hello.setVersionMin(kProtocolVersionMin);
    hello.setVersionMax(kProtocolVersionMax);
    hello.setClientName("raw session");
  });
}

Frame RawSession::execute_request(std::uint64_t id, std::string_view sql, std::uint32_t transaction) {
  FrameBuilder builder(sql.size() / kWordBytes + 64);
  auto root = builder.initRoot<wire::Request>();
  root.setId(id);
  root.setTransaction(transaction);
  fill_text(root.initExecute().initSql(static_cast<unsigned>(sql.size())), sql);
  return builder.finish();
}

void RawSession::hello() {
  const std::uint64_t id = next_id();
  send(hello_request(id));
  const Frame frame = receive();
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  require(response.getId() == id && response.isHello(), "no answer to Hello: " + error_text(response));
}

std::uint64_t RawSession::execute(std::string_view sql, std::uint32_t transaction) {
  const std::uint64_t id = next_id();
  send(execute_request(id, sql, transaction));
  std::uint64_t rows = 0;
  while (true) {
    const Frame frame = receive();
    MessageView message(frame.view());
    const auto response = message.root<wire::Response>();
    require(response.getId() == id, "an answer to request " + std::to_string(response.getId()));
    if (response.isDone()) return rows;
    require(response.isRows(), std::string(sql) + ": " + error_text(response));
    rows += response.getRows().getBatch().getRowCount();
    if (response.getRows().hasDone()) return rows;
    send(request(next_id(), [&](wire::Request::Builder root) {
      auto grant = root.initGrant();
      grant.setRequest(id);
      grant.setBytes(frame.byte_count());
    }));
  }
}

wire::ErrorCode RawSession::receive_error(std::uint64_t id, std::string* text) {
  const Frame frame = receive();
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  require(response.isError(), "a response without an error");
  require(response.getId() == id,
          "an error for request " + std::to_string(response.getId()) + ": " + error_text(response));
  if (text != nullptr) *text = error_text(response);
  return response.getError().getCode();
}

}  // namespace skua::test
