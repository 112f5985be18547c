// Channel: how it goes through memory that is shared with the daemon. docs/PROTOCOL.md#rings
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "client/src/bell.h"
#include "client/src/channel.h"
#include "client/src/system.h"
#include "protocol/limits.h"

namespace skua {

namespace {

// Who sleeps at a ring looks after the socket so often: the daemon may be gone.
constexpr std::chrono::milliseconds kRingSleepMax{100};

}  // namespace

bool Channel::may_exchange(const Request& request) const {
  return rings_ != nullptr && !broken_ && pending_.empty() && outgoing_.empty() && request.deadline_ms == 0 && rings_->is_read() &&
         rings_->is_written() && rings_->frames().buffered_bytes() == 0 && rings_->fits(request.frame.byte_count());
}

std::optional<Frame> Channel::exchange(const Request& request) {
  rings_heard_at_exchange_ = ring_count();
  rings_->put(request.frame);
  if (rings_->publish()) send_control(RingControl::kDoorbell);
  RingReader& in = rings_->in();
  const std::uint64_t began_us = now_us();
  busy_poll_.begin(began_us);
  bool polls = busy_poll_.goes_on(began_us);
  while (true) {
    const std::optional<std::size_t> available = in.available();
    if (!available) break;
    if (*available > 0) {
      busy_poll_.end(now_us());
      // Of one segment, and there to its end: everything else is taken as it always is.
      const std::uint64_t header = *available >= kWordBytes ? in.next_word() : ~std::uint64_t{0};
      const std::uint64_t words = 1 + (header >> 32);
      if (static_cast<std::uint32_t>(header) != 0 || words < 2 || words * kWordBytes > *available) break;
      Frame frame = Frame::uninitialised(static_cast<std::size_t>(words));
      in.take(reinterpret_cast<char*>(frame.words()), frame.byte_count());
      return frame;
    }
    if (polls) {
      ::sched_yield();
      polls = busy_poll_.goes_on(now_us());
      continue;
    }
    if (ring_count() != rings_heard_at_exchange_) break;
    const auto before = Clock::now();
    in.sleep(kRingSleepMax);
    if (in.available() == std::size_t{0} && Clock::now() - before >= kRingSleepMax) break;
  }
  put_under_way(request);
  return std::nullopt;
}

void Channel::take_exchanged(const Request& request, Frame frame) {
  put_under_way(request);
  Result<Response> response = read_response(std::move(frame));
  const Status taken = response ? take_response(*std::move(response)) : Status(std::move(response).error());
  if (!taken) break_connection(taken.error());
}

void Channel::put_under_way(const Request& request) {
  Pending& pending = remember(request.id);
  pending.may_commit = request.may_commit;
  pending.rings_heard = rings_heard_at_exchange_;
  pending.sent = true;
}

bool Channel::send_control(RingControl control) {
  const std::uint64_t word = ring_control(control);
  return ::send(socket_.get(), &word, sizeof(word), MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof(word));
}

bool Channel::send_to_ring() {
  if (!rings_->is_written()) {
    if (!rings_->wants_to_begin(outgoing_.front().frame.byte_count()) || !send_control(RingControl::kToRing)) return false;
    rings_->begin_to_write();
  }
  while (!outgoing_.empty() && rings_->fits(outgoing_.front().frame.byte_count())) {
    const Outgoing& first = outgoing_.front();
    rings_->put(first.frame);
    if (const auto at = pending_.find(first.id); at != pending_.end()) at->second.sent = true;
    outgoing_.pop_front();
  }
  if (!outgoing_.empty() && !rings_->is_broken()) rings_->end_to_write();
  // If the socket is full the daemon has something to read there, and looks into the ring then, too.
  if (rings_->publish() && !send_control(RingControl::kDoorbell) && errno != EAGAIN) receive_from_socket();
  if (rings_->is_broken()) break_connection(make_error(ErrorCode::kLost, "the daemon has broken the shared memory"));
  return broken_ || outgoing_.empty();
}

void Channel::attach_rings() {
  Result<Request> request = rings_request(head(RequestOptions()));
  if (!request) return;
  const std::uint64_t id = request->id;
  enqueue(*std::move(request));
  send_queued();
  const Status received = receive_rings(id);
  if (!received && !broken_) break_connection(received.error());
}

// The answer, and what comes beside it: which recv(2) would drop.
Status Channel::receive_rings(std::uint64_t id) {
  FileDescriptor descriptor;
  while (!broken_ && !has_response(id)) {
    pollfd ready = {socket_.get(), static_cast<short>(outgoing_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    // As long as it takes: so does the request that follows, which has no deadline.
    ::poll(&ready, 1, -1);
    if (!outgoing_.empty()) send_queued();
    const std::span<char> space = reader_.space();
    iovec bytes = {space.data(), space.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t received = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (received < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (received < 0) return make_error(ErrorCode::kLost, "cannot receive from the daemon: " + describe(errno));
    if (received == 0) return make_error(ErrorCode::kLost, "the daemon closed the connection");
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header), sizeof(number));
      descriptor = FileDescriptor(number);
    }
    reader_.commit(static_cast<std::size_t>(received));
    SKUA_TRY(take_frames());
  }
  if (broken_) return *broken_;
  // Refused: there are sessions enough that have rings.
  if (const Result<Summary> done = body_of<Summary>(take(id)); !done) return broken_ ? Status(*broken_) : Status();
  // Nor does a process that may have no further descriptor, or no more memory, lose its connection for it.
  if (!descriptor.is_open()) return {};
  Result<std::shared_ptr<SharedRings>> mapped = SharedRings::map(descriptor.get());
  if (!mapped) return mapped.error().code == ErrorCode::kProtocol ? Status(mapped.error()) : Status();
  std::shared_ptr<SharedRings> memory = *std::move(mapped);
  const Ring requests = memory->requests();
  const Ring responses = memory->responses();
  bell_->attach(memory);
  rings_ = std::make_unique<RingPair>(std::move(memory), responses, requests, nullptr);
  reader_.allow_controls();
  return {};
}

bool Channel::receive_from_ring() {
  const std::optional<std::size_t> taken = rings_->take();
  if (taken == std::size_t{0}) return false;
  if (!taken) {
    break_connection(make_error(ErrorCode::kProtocol, "the ring of responses claims more bytes than there is room for"));
  } else if (Status frames = take_frames(); !frames) {
    break_connection(std::move(frames).error());
  }
  return true;
}

bool Channel::wait_at_ring(Deadline until) {
  if (!outgoing_.empty()) {
    // The socket is full, as it hardly ever is: it is looked after in turns.
    pollfd ready = {socket_.get(), POLLOUT, 0};
    ::poll(&ready, 1, 1);
    send_queued();
    if (!broken_) receive_available();
    return !until || Clock::now() < *until;
  }
  if (poll_busily()) return true;
  std::chrono::nanoseconds time = kRingSleepMax;
  if (until) time = std::min(time, std::max(*until - Clock::now(), std::chrono::nanoseconds(0)));
  rings_->in().sleep(time);
  busy_poll_.end(now_us());
  if (receive_available()) return true;
  if (until && Clock::now() >= *until) return false;
  // Nothing can come there, but that the daemon is gone.
  receive_from_socket();
  return true;
}

}  // namespace skua
