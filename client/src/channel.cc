#include "client/src/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "client/src/bell.h"
#include "client/src/system.h"
#include "client/src/unix_socket.h"
#include "protocol/features.h"
#include "protocol/limits.h"

namespace skua {

namespace {

// Ended requests whose memory is kept for those to come.
constexpr std::size_t kSpareMax = 64;
// Requests that are shown to the daemon before the driver says so, if that takes no system call: it begins with them while the
// others are made.
constexpr std::size_t kRequestsAtOnce = 8;
// Of one sendmsg(2).
constexpr std::size_t kFramesSentAtOnce = 64;

}  // namespace

Channel::Channel(FileDescriptor socket, std::shared_ptr<Canceller::Bell> bell, const ConnectOptions& options, Driver* driver)
    : socket_(std::move(socket)),
      driver_(driver),
      bell_(std::move(bell)),
      observer_(Observer::make(options.hooks, options.echo)),
      database_(options.database),
      reader_(kFrameBytesMax, std::make_shared<FramePool>(kBatchFrameBytes / kWordBytes, kClientFramesKept)),
      busy_poll_(busy_poll_us_here(options.busy_poll_us), kClientAloneTimes),
      requests_to_rings_(options.shared_memory ? kRequestsToRings : 0) {}

Result<std::shared_ptr<Channel>> Channel::connect(const ConnectOptions& options) {
  const std::string path = options.socket_path.empty() ? default_socket_path() : options.socket_path;
  SKUA_ASSIGN(FileDescriptor socket, connect_unix(path, options.connect_timeout_ms));
  return open(std::move(socket), options);
}

Result<std::shared_ptr<Channel>> Channel::make(FileDescriptor socket, const ConnectOptions& options, Driver* driver) {
  auto bell = std::make_shared<Canceller::Bell>();
  if (!bell->event.is_open()) {
    return make_error(ErrorCode::kConnect, fmt::format("cannot make an eventfd: {}", describe(errno)));
  }
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return make_error(ErrorCode::kConnect, fmt::format("cannot prepare the socket: {}", describe(errno)));
  }
  return std::shared_ptr<Channel>(new Channel(std::move(socket), std::move(bell), options, driver));
}

Result<std::shared_ptr<Channel>> Channel::open(FileDescriptor socket, const ConnectOptions& options) {
  SKUA_ASSIGN(std::shared_ptr<Channel> channel, make(std::move(socket), options, nullptr));
  SKUA_TRY(channel->say_hello(options));
  return channel;
}

Result<std::shared_ptr<Channel>> Channel::open_driven(FileDescriptor socket, const ConnectOptions& options, Driver& driver) {
  SKUA_ASSIGN(std::shared_ptr<Channel> channel, make(std::move(socket), options, &driver));
  SKUA_TRY(channel->begin_hello(options));
  return channel;
}

Status Channel::begin_hello(const ConnectOptions& options) {
  SKUA_ASSIGN(Request request, hello_request(++last_id_, options.client_name));
  SKUA_CHECK(request.id == kHelloId);
  enqueue(std::move(request));
  begin_to_send();
  return {};
}

Status Channel::say_hello(const ConnectOptions& options) {
  const auto until = Clock::now() + std::chrono::milliseconds(options.connect_timeout_ms);
  SKUA_TRY(begin_hello(options));
  while (!is_greeted()) {
    if (wait(until)) continue;
    return make_error(ErrorCode::kConnect,
                      fmt::format("skuad did not answer within {} ms", options.connect_timeout_ms));
  }
  return finish_hello();
}

Status Channel::finish_hello() {
  if (!has_response(kHelloId)) {
    if (broken_->code != ErrorCode::kLost) return *broken_;
    return make_error(ErrorCode::kConnect, "no session with skuad: " + broken_->message);
  }
  SKUA_ASSIGN(hello_, body_of<HelloReply>(take(kHelloId)));
  if (hello_.version < kProtocolVersionMin || hello_.version > kProtocolVersionMax) {
    return make_error(ErrorCode::kVersion,
                      fmt::format("skuad chose version {} of the protocol, this client speaks {} to {}",
                                  hello_.version, kProtocolVersionMin, kProtocolVersionMax));
  }
  if (!has_feature(kFeatureRings) || (driver_ != nullptr && !has_feature(kFeatureRingBells))) requests_to_rings_ = 0;
  return {};
}

std::uint32_t Channel::next_transaction() {
  // 0 means no transaction.
  if (++last_transaction_ == 0) ++last_transaction_;
  return last_transaction_;
}

RequestHead Channel::head(const RequestOptions& options, std::uint32_t transaction) {
  // Who waits by itself has to wait for the memory, too.
  const bool may_ask = driver_ != nullptr || (pending_.empty() && outgoing_.empty() && options.deadline_ms == 0);
  if (requests_to_rings_ > 0 && may_ask && !broken_ && --requests_to_rings_ == 0) ask_for_rings();
  return {++last_id_, options.database.empty() ? std::string_view(database_) : options.database, transaction,
          options.deadline_ms, options.idempotency_key};
}

std::uint32_t Channel::ring_count() const { return bell_->rings.load(); }

Channel::Pending& Channel::remember(std::uint64_t id) {
  if (spare_.empty()) return pending_[id];
  PendingMap::node_type node = std::move(spare_.back());
  spare_.pop_back();
  node.key() = id;
  return pending_.insert(std::move(node)).position->second;
}

void Channel::forget(PendingMap::iterator at) {
  if (spare_.size() >= kSpareMax) {
    pending_.erase(at);
    return;
  }
  PendingMap::node_type node = pending_.extract(at);
  FlatQueue<Response> responses = std::move(node.mapped().responses);
  responses.clear();
  node.mapped() = Pending();
  node.mapped().responses = std::move(responses);
  spare_.push_back(std::move(node));
}

Channel::Pending& Channel::enqueue(Request request) {
  Pending& pending = remember(request.id);
  pending.may_commit = request.may_commit;
  pending.rings_heard = ring_count();
  if (request.deadline_ms > 0) pending.deadline = Clock::now() + std::chrono::milliseconds(request.deadline_ms);
  outgoing_.push_back({request.id, std::move(request.frame)});
  return pending;
}

Result<std::uint64_t> Channel::start(Request request) {
  if (broken_) return make_error(ErrorCode::kLost, "the connection is gone: " + broken_->message);
  const std::uint64_t id = request.id;
  enqueue(std::move(request));
  begin_to_send();
  return id;
}

void Channel::begin_to_send() {
  if (driver_ == nullptr) {
    send_queued();
  } else if (outgoing_.size() == 1) {
    driver_->on_unsent();
  } else if (outgoing_.size() >= kRequestsAtOnce) {
    put_into_ring();
  }
}

void Channel::send_and_forget(Request request) {
  if (broken_) return;
  enqueue(std::move(request)).discarded = true;
  flush();
}

void Channel::send_and_forget(Request request, Watcher& watcher) {
  SKUA_CHECK(driver_ != nullptr && !broken_);
  Pending& pending = enqueue(std::move(request));
  pending.discarded = true;
  pending.watcher = &watcher;
  begin_to_send();
}

void Channel::flush() {
  if (driver_ != nullptr) return begin_to_send();
  const auto until = Clock::now() + kDeadlineGrace;
  send_queued();
  while (!broken_ && !outgoing_.empty()) {
    if (!wait(until)) break_connection(make_error(ErrorCode::kLost, "the daemon does not read"));
  }
}

void Channel::grant(std::uint64_t id, std::uint64_t bytes) {
  if (broken_) return;
  Request request = grant_request(++last_id_, id, bytes);
  // Not pending: a grant has no response unless it is refused.
  outgoing_.push_back({request.id, std::move(request.frame)});
  begin_to_send();
}

void Channel::send_cancel(std::uint64_t id) { send_and_forget(cancel_request(++last_id_, id)); }

void Channel::abandon(std::uint64_t id) {
  const auto at = pending_.find(id);
  if (at == pending_.end()) return;
  if (broken_ || at->second.ended) return forget(at);
  at->second.responses.clear();
  at->second.discarded = true;
  at->second.watcher = nullptr;
  if (!at->second.cancelled) send_cancel(id);
}

void Channel::cancel(std::uint64_t id) {
  const auto at = pending_.find(id);
  if (at == pending_.end() || broken_ || at->second.ended || at->second.cancelled) return;
  at->second.cancelled = true;
  send_cancel(id);
}

void Channel::watch(std::uint64_t id, Watcher* watcher) {
  if (const auto at = pending_.find(id); at != pending_.end()) at->second.watcher = watcher;
}

bool Channel::has_response(std::uint64_t id) const {
  const auto at = pending_.find(id);
  return at != pending_.end() && !at->second.responses.empty();
}

void Channel::answer_bell(std::uint64_t id, Pending& pending) {
  const std::uint32_t rings = ring_count();
  if (pending.rings_heard == rings) return;
  for (auto& [other, state] : pending_) state.rings_heard = rings;
  if (pending.ended || pending.cancelled) return;
  pending.cancelled = true;
  send_cancel(id);
}

void Channel::wait_for(std::uint64_t id) {
  SKUA_CHECK(driver_ == nullptr);
  const auto at = pending_.find(id);
  SKUA_CHECK(at != pending_.end() && !at->second.discarded);
  Pending& pending = at->second;
  Deadline until = pending.deadline;
  if (until) until = std::max(*until, Clock::now()) + kDeadlineGrace;
  answer_bell(id, pending);
  while (pending.responses.empty() && !broken_) {
    if (!wait(until)) give_up("the daemon did not answer, long after the request's deadline");
    if (!broken_) answer_bell(id, pending);
  }
}

Result<Response> Channel::take(std::uint64_t id) {
  const auto at = pending_.find(id);
  SKUA_CHECK(at != pending_.end() && !at->second.discarded);
  Pending& pending = at->second;
  if (pending.responses.empty()) {
    SKUA_CHECK(broken_.has_value());
    Error error = lost(pending);
    forget(at);
    return error;
  }
  Result<Response> response(std::move(pending.responses.front()));
  pending.responses.pop_front();
  if (response->is_last) forget(at);
  return response;
}

void Channel::check_deadlines() {
  const auto now = Clock::now();
  for (const auto& [id, pending] : pending_) {
    if (pending.deadline && now > *pending.deadline + kDeadlineGrace && !pending.ended) {
      return give_up("the daemon did not answer, long after the request's deadline");
    }
  }
}

void Channel::give_up(std::string reason) { break_connection(make_error(ErrorCode::kLost, std::move(reason))); }

void Channel::progress() {
  if (!broken_) send_queued();
  if (!broken_) receive_available();
}

bool Channel::wait(Deadline until) {
  if (ring_is_read()) return wait_at_ring(until);
  const bool is_idle = outgoing_.empty();
  if (is_idle && poll_busily()) return true;
  // Not a blocking recv(2), though it is a system call less: that is also woken, for nothing, when the daemon
  // has taken the request out of the socket's buffer. poll(2) is not, and a round trip costs a quarter less CPU
  // for it.
  const short socket_events = outgoing_.empty() ? POLLIN : POLLIN | POLLOUT;
  pollfd ready[2] = {{socket_.get(), socket_events, 0}, {bell_->event.get(), POLLIN, 0}};
  int count = 0;
  do {
    count = ::poll(ready, 2, milliseconds_until(until));
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    break_connection(make_error(ErrorCode::kLost, "cannot wait for the daemon: " + describe(errno)));
    return true;
  }
  if (count == 0) return false;
  if (is_idle) end_polling();
  if (ready[1].revents != 0) bell_->quieten();
  if ((ready[0].revents & POLLOUT) != 0) send_queued();
  if (!broken_ && (ready[0].revents & ~POLLOUT) != 0) receive_available();
  return true;
}

// True: something came before it was time to sleep.
bool Channel::poll_busily() {
  std::uint64_t now = now_us();
  busy_poll_.begin(now);
  while (goes_on_polling(now)) {
    const bool received = receive_available();
    now = now_us();
    if (received) {
      end_polling();
      return true;
    }
    // To the daemon, if that shares the core.
    ::sched_yield();
  }
  return false;
}

void Channel::send_queued() {
  if (rings_ != nullptr && !outgoing_.empty() && outgoing_bytes_sent_ == 0 && send_to_ring()) return;
  while (!outgoing_.empty() && send_some()) {
  }
}

// One system call. False: no more can be sent now.
bool Channel::send_some() {
  std::array<iovec, kFramesSentAtOnce> pieces;
  std::size_t count = 0;
  std::size_t size = 0;
  for (std::size_t skip = outgoing_bytes_sent_; count < std::min(pieces.size(), outgoing_.size()); skip = 0) {
    const std::string_view bytes = outgoing_.begin()[static_cast<std::ptrdiff_t>(count)].frame.bytes().substr(skip);
    pieces[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
    size += bytes.size();
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    const std::string reason = describe(errno);
    // What the daemon said before it closed the connection tells more, and may answer requests.
    receive_available();
    break_connection(make_error(ErrorCode::kLost, "cannot send to the daemon: " + reason));
    return false;
  }
  outgoing_bytes_sent_ += static_cast<std::size_t>(sent);
  while (!outgoing_.empty() && outgoing_bytes_sent_ >= outgoing_.front().frame.byte_count()) {
    const Outgoing& first = outgoing_.front();
    outgoing_bytes_sent_ -= first.frame.byte_count();
    if (const auto at = pending_.find(first.id); at != pending_.end()) at->second.sent = true;
    outgoing_.pop_front();
  }
  return static_cast<std::size_t>(sent) == size;
}

bool Channel::receive_when_readable() {
  const bool came_by_socket = ring_is_read() && receive_from_socket();
  return broken_ || receive_available() || came_by_socket;
}

bool Channel::receive_available() {
  bool received_any = false;
  while (!broken_) {
    const bool from_ring = ring_is_read();
    if (!(from_ring ? receive_from_ring() : receive_from_socket())) return received_any;
    received_any = true;
    // The rest is there at once if the daemon has gone the other way.
    if (from_ring == ring_is_read() && (from_ring || is_socket_empty_)) return true;
  }
  return true;
}

// False: there was nothing.
bool Channel::receive_from_socket() {
  const std::span<char> space = reader_.space();
  ssize_t received = 0;
  do {
    received = rings_request_ == 0 ? ::recv(socket_.get(), space.data(), space.size(), 0)
                                   : receive_with_descriptor(socket_.get(), space, ring_memory_);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (received <= 0) {
    const std::string reason = received == 0 ? "the daemon closed the connection" : "cannot receive from the daemon: " + describe(errno);
    // What it put into the ring before that was sent, too.
    while (!broken_ && ring_is_read() && receive_from_ring()) {
    }
    break_connection(make_error(ErrorCode::kLost, reason));
    return true;
  }
  reader_.commit(static_cast<std::size_t>(received));
  is_socket_empty_ = static_cast<std::size_t>(received) < space.size();
  // What was put into the ring before these bytes were sent comes first.
  Status taken = ring_is_read() ? copy_from_ring() : Status();
  if (taken) taken = take_frames();
  if (taken && ring_is_read()) taken = take_bells();
  if (!taken) break_connection(std::move(taken).error());
  return true;
}

Status Channel::take_frames() {
  while (true) {
    FrameReader& reader = ring_is_read() ? rings_->frames() : reader_;
    SKUA_ASSIGN(const std::optional<FrameView> frame, reader.next());
    if (!frame) return {};
    if (frame->size() == 1) {
      const bool was_read = ring_is_read();
      if (!rings_->take_control(*reinterpret_cast<const std::uint64_t*>(frame->begin()))) {
        return make_error(ErrorCode::kProtocol, "a control of the rings that cannot stand there");
      }
      // What is on the socket behind this control was sent after what is in the ring now.
      if (!was_read && ring_is_read()) SKUA_TRY(copy_from_ring());
      continue;
    }
    Result<Response> response = read_response(reader.detach(*frame));
    if (!response) return std::move(response).error();
    SKUA_TRY(take_response(*std::move(response)));
  }
}

Status Channel::take_response(Response&& response) {
  Error* error = std::get_if<Error>(&response.body);
  if (response.id == 0) {
    if (error != nullptr) return std::move(*error);
    return make_error(ErrorCode::kProtocol, "a response without the id of a request");
  }
  if (rings_request_ != 0 && response.id == rings_request_) return take_rings(response);
  const auto at = pending_.find(response.id);
  if (at == pending_.end()) {
    // A refused grant: it came after the end of its stream.
    if (error != nullptr && response.id <= last_id_) return {};
    return make_error(ErrorCode::kProtocol,
                      fmt::format("a response to {}, a request that is not under way", response.id));
  }
  Pending& pending = at->second;
  if (pending.discarded) {
    if (!response.is_last) return {};
    Watcher* const watcher = pending.watcher;
    forget(at);
    if (watcher != nullptr) watcher->on_response();
    return {};
  }
  if (pending.ended) {
    return make_error(ErrorCode::kProtocol, fmt::format("a second end of request {}", response.id));
  }
  pending.ended = response.is_last;
  pending.responses.push_back(std::move(response));
  if (pending.watcher != nullptr) pending.watcher->on_response();
  return {};
}

void Channel::break_connection(Error reason) {
  if (broken_) return;
  broken_ = std::move(reason);
  // The driver takes its hands off the descriptor before that is closed.
  if (driver_ != nullptr) driver_->on_lost();
  socket_.reset();
  outgoing_.clear();
  outgoing_bytes_sent_ = 0;
  for (auto& [id, pending] : pending_) {
    if (pending.watcher == nullptr) continue;
    Watcher* const watcher = pending.discarded ? std::exchange(pending.watcher, nullptr) : pending.watcher;
    watcher->on_response();
  }
}

Error Channel::reject(std::string message) {
  Error error = make_error(ErrorCode::kProtocol, std::move(message));
  error.transaction = TransactionState::kAborted;
  break_connection(error);
  return error;
}

Error Channel::lost(const Pending& pending) const {
  if (pending.sent && pending.may_commit) {
    return make_error(
        ErrorCode::kInDoubt,
        "the connection was lost before the answer, it may have been committed: " + broken_->message);
  }
  const bool is_protocol = broken_->code == ErrorCode::kProtocol;
  Error error = make_error(is_protocol ? ErrorCode::kProtocol : ErrorCode::kLost,
                           "the connection was lost before the answer: " + broken_->message);
  error.transaction = TransactionState::kAborted;
  return error;
}

}  // namespace skua
