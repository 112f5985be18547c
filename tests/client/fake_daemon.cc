#include "tests/client/fake_daemon.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>

#include "protocol/limits.h"
#include "tests/support/failure.h"

namespace skua::test {

Frame response(std::uint64_t id, const std::function<void(wire::Response::Builder)>& fill) {
  FrameBuilder frame;
  auto root = frame.initRoot<wire::Response>();
  root.setId(id);
  fill(root);
  return frame.finish();
}

Frame rows_response(std::uint64_t id, const RowsFrame& rows) {
  RowBatchBuilder batch(1);
  for (const std::int64_t number : rows.numbers) {
    batch.append_integer(number);
    batch.end_row();
  }
  return response(id, [&](wire::Response::Builder root) {
    auto out = root.initRows();
    if (rows.is_first) write_columns({{"n", "INTEGER"}}, out.initColumns(1));
    batch.write(out.initBatch());
    if (!rows.is_last) return;
    Summary summary;
    summary.changes = 3;
    summary.row_count = 1'000'000;
    write_summary(summary, out.initDone());
  });
}

FakeDaemon::FakeDaemon() : reader_(kFrameBytesMax) {
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair failed");
  client_end_ = FileDescriptor(ends[0]);
  socket_ = FileDescriptor(ends[1]);
}

FakeDaemon::~FakeDaemon() {
  hang_up();
  if (thread_.joinable()) thread_.join();
}

Connection FakeDaemon::connect(const ConnectOptions& options) {
  send_hello();
  auto channel = must(Channel::open(client_end(), options), "hello");
  require(receive().root().isHello(), "the first request was not a hello");
  return Connection(std::move(channel));
}

void FakeDaemon::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    require(sent > 0, "the client does not take the fake daemon's bytes");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void FakeDaemon::send_hello(std::uint32_t stream_window_bytes) {
  send(response(1, [&](wire::Response::Builder root) {
    auto hello = root.initHello();
    hello.setVersion(kProtocolVersionMax);
    hello.setFeatures(features);
    hello.setServerVersion("1.2.3");
    hello.setSqliteVersion("3.40.1");
    hello.setSessionId(42);
    auto databases = hello.initDatabases(2);
    databases.set(0, "main");
    databases.set(1, "other");
    if (stream_window_bytes == 0) return;
    auto limits = hello.initLimits(1);
    limits[0].setName("stream_window_bytes");
    limits[0].setValue(stream_window_bytes);
  }));
}

void FakeDaemon::send_error(std::uint64_t id, ErrorCode code, std::string message) {
  send(error_response(id, make_error(code, std::move(message))));
}

std::optional<ReceivedRequest> FakeDaemon::try_receive() {
  while (true) {
    const auto frame = must(reader_.next(), "reading a request");
    if (frame) return ReceivedRequest(reader_.detach(*frame));
    const std::span<char> space = reader_.space();
    const ssize_t received = ::recv(socket_.get(), space.data(), space.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return std::nullopt;
    reader_.commit(static_cast<std::size_t>(received));
  }
}

ReceivedRequest FakeDaemon::receive() {
  auto request = try_receive();
  require(request.has_value(), "the client closed the connection");
  return std::move(*request);
}

bool FakeDaemon::is_silent_for_ms(int milliseconds) const {
  pollfd ready = {socket_.get(), POLLIN, 0};
  return reader_.buffered_bytes() == 0 && ::poll(&ready, 1, milliseconds) == 0;
}

void FakeDaemon::stop_sending() { ::shutdown(socket_.get(), SHUT_WR); }

void FakeDaemon::hang_up() {
  // Also wakes a script that waits.
  if (socket_.is_open()) ::shutdown(socket_.get(), SHUT_RDWR);
  if (!thread_.joinable()) socket_.reset();
}

void FakeDaemon::run_beside(std::function<void()> script) {
  thread_ = std::thread([this, script = std::move(script)] {
    try {
      script();
    } catch (const std::exception& exception) {
      failure_ = exception.what();
      hang_up();
    }
  });
}

void FakeDaemon::join() {
  thread_.join();
  require(failure_.empty(), failure_);
}

std::vector<std::int64_t> numbers_in(const ResultSet& rows) {
  std::vector<std::int64_t> numbers;
  for (const Row row : rows) numbers.push_back(must(row.get<std::int64_t>("n"), "a number"));
  return numbers;
}

}  // namespace skua::test
