// Channel: how it goes through memory that is shared with the daemon. docs/PROTOCOL.md#rings
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

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
  bool polls = goes_on_polling(began_us);
  while (true) {
    const std::optional<std::size_t> available = in.available();
    if (!available) break;
    if (*available > 0) {
      end_polling();
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
      polls = goes_on_polling(now_us());
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

bool Channel::goes_on_polling(std::uint64_t now_us) {
  return busy_poll_.goes_on(now_us, apart_.is_beside(daemon_core(), now_us));
}

void Channel::end_polling() {
  const std::uint64_t now = now_us();
  busy_poll_.end(now);
  if (busy_poll_.has_lost_the_core()) apart_.on_core_lost(now);
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

void Channel::fill_ring() {
  while (!outgoing_.empty() && rings_->fits(outgoing_.front().frame.byte_count())) {
    const Outgoing& first = outgoing_.front();
    rings_->put(first.frame);
    if (const auto at = pending_.find(first.id); at != pending_.end()) at->second.sent = true;
    outgoing_.pop_front();
  }
}

void Channel::put_into_ring() {
  if (rings_ == nullptr || !rings_->is_written() || outgoing_bytes_sent_ != 0) return;
  fill_ring();
  // If that fails, the socket is full, and the daemon looks into the ring when it reads it; or the driver will hear that it is gone.
  if (rings_->publish()) send_control(RingControl::kDoorbell);
}

bool Channel::send_to_ring() {
  if (!rings_->is_written()) {
    if (!rings_->wants_to_begin(outgoing_.front().frame.byte_count()) || !send_control(RingControl::kToRing)) return false;
    rings_->begin_to_write();
  }
  fill_ring();
  if (!outgoing_.empty() && !rings_->is_broken()) rings_->end_to_write();
  // If the socket is full the daemon has something to read there, and looks into the ring then, too.
  if (rings_->publish() && !send_control(RingControl::kDoorbell) && errno != EAGAIN) receive_from_socket();
  if (rings_->is_broken()) break_connection(make_error(ErrorCode::kLost, "the daemon has broken the shared memory"));
  return broken_ || outgoing_.empty();
}

void Channel::ask_for_rings() {
  Result<Request> request = rings_request(head(RequestOptions()));
  if (!request) return;
  rings_request_ = request->id;
  enqueue(*std::move(request));
  begin_to_send();
  // As long as it takes: so does the request that follows, which has no deadline.
  while (driver_ == nullptr && rings_request_ != 0 && !broken_) wait(std::nullopt);
}

Status Channel::take_rings(const Response& response) {
  pending_.erase(std::exchange(rings_request_, 0));
  const FileDescriptor descriptor = std::move(ring_memory_);
  if (const auto* error = std::get_if<Error>(&response.body)) {
    // Otherwise it is refused: there are sessions enough that have rings.
    if (error->code == ErrorCode::kUnavailable) requests_to_rings_ = kRequestsToRings;
    return {};
  }
  if (!std::holds_alternative<Summary>(response.body)) {
    return make_error(ErrorCode::kProtocol, "a request for shared memory was answered with a response of another kind");
  }
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

Status Channel::copy_from_ring() {
  if (rings_->take()) return {};
  return make_error(ErrorCode::kProtocol, "the ring of responses claims more bytes than there is room for");
}

// While the daemon's frames are in the ring, nothing else comes by the socket.
Status Channel::take_bells() {
  while (true) {
    SKUA_ASSIGN(const std::optional<FrameView> frame, reader_.next());
    if (!frame) return {};
    if (frame->size() != 1 || *reinterpret_cast<const std::uint64_t*>(frame->begin()) != ring_control(RingControl::kDoorbell)) {
      return make_error(ErrorCode::kProtocol, "a frame on the socket, and the last control said that it is in the ring");
    }
  }
}

bool Channel::receive_from_ring() {
  if (rings_->in().available() == std::size_t{0}) return false;
  Status taken = copy_from_ring();
  if (taken) taken = take_frames();
  if (!taken) break_connection(std::move(taken).error());
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
  end_polling();
  if (receive_available()) return true;
  if (until && Clock::now() >= *until) return false;
  // Nothing can come there, but that the daemon is gone.
  receive_from_socket();
  return true;
}

}  // namespace skua
