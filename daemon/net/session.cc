#include "daemon/net/session.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "daemon/base/clock.h"
#include "daemon/net/server.h"
#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/short_frames.h"

namespace skua {

namespace {

// The most buffers one write takes; more would only be copied around.
constexpr std::size_t kBuffersMax = 64;
// Answers that are shown to a client before all that it has asked is answered, if that takes no system call.
constexpr std::size_t kAnswersAtOnce = 8;

std::uint64_t word_of(FrameView frame) { return *reinterpret_cast<const std::uint64_t*>(frame.begin()); }

}  // namespace

Session::Session(Server& server, Dispatcher& dispatcher)
    : server_(server), dispatcher_(dispatcher), reader_(kHelloFrameBytesMax, &server.read_buffer()) {}

Session::~Session() { SKUA_CHECK(pipe_ == nullptr); }

PeerIdentity Session::peer_identity() const {
  PeerIdentity peer;
  uv_os_fd_t fd = -1;
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(pipe_.get()), &fd) != 0 ||
      ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    peer.uid = static_cast<uid_t>(-1);
    return peer;
  }
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pid = credentials.pid;
  std::ifstream file(fmt::format("/proc/{}/comm", peer.pid));
  std::getline(file, peer.command);
  return peer;
}

bool Session::accept(uv_stream_t* listener, uv_loop_t& loop) {
  pipe_.reset(new uv_pipe_t);
  uv_pipe_init(&loop, pipe_.get(), 0);
  pipe_->data = this;
  if (uv_accept(listener, stream()) != 0) {
    pipe_.reset();
    return false;
  }
  PeerIdentity peer = peer_identity();
  if (!server_.access().allows(peer)) {
    spdlog::warn("refused uid {} (pid {}, {}): not in [access]", peer.uid, peer.pid, peer.command);
    send(error_response(0, make_error(ErrorCode::kAccess,
                                      fmt::format("user {} may not use this daemon: add it to [access] users in the "
                                                  "configuration",
                                                  peer.uid))));
    close();
    return true;
  }
  auto state = dispatcher_.open_session(std::move(peer), *this, monotonic_us());
  if (!state) {
    send(error_response(0, state.error()));
    close();
    return true;
  }
  state_ = *state;
  spdlog::debug("session {} opened by uid {}, pid {} ({})", state_->id, state_->peer.uid, state_->peer.pid,
                state_->peer.command);
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        const std::span<char> space = static_cast<Session*>(handle->data)->reader_.space();
        *buffer = uv_buf_init(space.data(), static_cast<unsigned>(std::min<std::size_t>(space.size(), 1u << 30)));
      },
      [](uv_stream_t* handle, ssize_t bytes, const uv_buf_t*) {
        loop_thread.assert_here();
        static_cast<Session*>(handle->data)->on_read(bytes);
      });
  return true;
}

void Session::on_read(ssize_t bytes) {
  if (bytes > 0) {
    reader_.commit(static_cast<std::size_t>(bytes));
    // Whatever the client says, it may have put something there before.
    if (rings_ != nullptr) server_.watch_ring(*this);
    take_frames();
  }
  if (bytes < 0) {
    // What it put there before it went was sent.
    read_ring();
    disconnect();
  }
  reader_.rest();
}

bool Session::read_ring() {
  if (rings_ == nullptr || pipe_ == nullptr || !rings_->is_read() || rings_->in().available() == std::size_t{0}) {
    return false;
  }
  take_frames();
  return true;
}

bool Session::leave_ring() { return rings_ == nullptr || pipe_ == nullptr || rings_->in().doze(); }

Status Session::share_rings(std::uint64_t request) {
  // The answer goes by the socket at once, behind all others. If that has an error, the next flush() has it, too.
  while (pipe_ != nullptr && writing_bytes_ == 0 && !unsent_.empty() && write_some() > 0) {
  }
  if (pipe_ == nullptr || rings_ != nullptr || !unsent_.empty()) {
    return make_error(ErrorCode::kUnavailable, "no memory can be shared while answers wait in the socket: ask again later");
  }
  SKUA_ASSIGN(std::shared_ptr<SharedRings> memory, SharedRings::create());
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(pipe_.get()), &fd);
  Frame frame = done_response(request, Summary{});
  iovec bytes = {frame.words(), frame.byte_count()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int descriptor = memory->descriptor();
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    return make_error(ErrorCode::kUnavailable, fmt::format("cannot send the memory of rings: {}",
                                                           std::generic_category().message(errno)));
  }
  memory->close_descriptor();
  const Ring requests = memory->requests();
  const Ring responses = memory->responses();
  rings_ = std::make_unique<RingPair>(std::move(memory), requests, responses, &server_.read_buffer());
  reader_.allow_controls();
  // What little may be left of the answer.
  const auto bytes_sent = static_cast<std::size_t>(sent);
  if (bytes_sent == frame.byte_count()) return {};
  send(std::move(frame));
  consume(bytes_sent);
  return {};
}

void Session::take_frames() {
  const std::uint64_t now_us = monotonic_us();
  server_.on_event(now_us);
  bool looks_into_ring = true;
  while (state_ != nullptr && !closing_) {
    const bool from_ring = rings_ != nullptr && rings_->is_read();
    // Once, so that who writes there all the time does not keep the loop.
    if (from_ring && std::exchange(looks_into_ring, false)) {
      ring_used_us_ = now_us;
      if (!rings_->take()) {
        return dispatcher_.on_broken_stream(
            *state_, make_error(ErrorCode::kProtocol, "the ring of requests claims more bytes than there is room for"));
      }
    }
    FrameReader& reader = from_ring ? rings_->frames() : reader_;
    const auto next = reader.next();
    if (!next) return dispatcher_.on_broken_stream(*state_, next.error());
    if (!*next) break;
    take_frame(reader, **next, now_us);
    // Who has asked much at once begins with the first answers while the others are found.
    if (unsent_.size() >= kAnswersAtOnce && rings_ != nullptr && rings_->is_written() && writing_bytes_ == 0) flush_to_ring();
    // What was on the socket behind the control was sent after what now is in the ring.
    if (!from_ring) looks_into_ring = true;
  }
  if (rings_ == nullptr) return;
  rings_->frames().rest();
  // While the client says that its frames are in the ring, only bells come by the socket.
  while (state_ != nullptr && !closing_ && rings_->is_read()) {
    const auto next = reader_.next();
    if (next && !*next) return;
    if (next && (*next)->size() == 1 && word_of(**next) == ring_control(RingControl::kDoorbell)) continue;
    dispatcher_.on_broken_stream(
        *state_, make_error(ErrorCode::kProtocol, "a frame on the socket, and the last control said that it is in the ring"));
  }
}

void Session::take_frame(FrameReader& reader, FrameView frame, std::uint64_t now_us) {
  if (frame.size() == 1) {
    if (rings_->take_control(word_of(frame))) return;
    return dispatcher_.on_broken_stream(
        *state_, make_error(ErrorCode::kProtocol, fmt::format("the control {:#x} cannot stand there", word_of(frame))));
  }
  if (frame.size() <= RequestMessage::kInlineWords) {
    dispatcher_.on_frame(*state_, frame, now_us);
  } else {
    dispatcher_.on_frame(*state_, reader.detach(frame), now_us);
  }
  if (state_ != nullptr && state_->greeted) reader_.set_frame_bytes_max(kFrameBytesMax);
}

void Session::send(Frame frame) {
  if (pipe_ == nullptr || frame.empty()) return;
  unsent_bytes_ += frame.byte_count();
  dispatcher_.on_unsent_changed(static_cast<std::int64_t>(frame.byte_count()));
  unsent_.push_back(std::move(frame));
  server_.flush_later(*this);
}

void Session::close() {
  closing_ = true;
  server_.flush_later(*this);
}

std::size_t Session::fill(std::span<uv_buf_t> buffers) {
  std::size_t count = 0;
  std::size_t offset = front_offset_;
  for (const Frame& frame : unsent_) {
    if (count == buffers.size()) break;
    // libuv takes a pointer that is not const and does not write through it.
    char* data = const_cast<char*>(frame.bytes().data());
    buffers[count++] = uv_buf_init(data + offset, static_cast<unsigned>(frame.byte_count() - offset));
    offset = 0;
  }
  return count;
}

int Session::write_some() {
  std::array<uv_buf_t, kBuffersMax> space;
  const auto count = static_cast<unsigned>(fill(space));
  const int written = uv_try_write(stream(), space.data(), count);
  if (written > 0) consume(static_cast<std::size_t>(written));
  return written;
}

void Session::consume(std::size_t bytes) {
  unsent_bytes_ -= bytes;
  dispatcher_.on_unsent_changed(-static_cast<std::int64_t>(bytes));
  bytes += front_offset_;
  while (!unsent_.empty() && bytes >= unsent_.front().byte_count()) {
    bytes -= unsent_.front().byte_count();
    unsent_.pop_front();
  }
  front_offset_ = bytes;
}

bool Session::flush_to_ring() {
  // The client has mapped it once it sends through it.
  if (rings_ == nullptr || !(may_write_ring_ = may_write_ring_ || rings_->is_read())) return false;
  if (rings_->is_broken()) {
    disconnect();
    return true;
  }
  if (!rings_->is_written()) {
    if (front_offset_ != 0 || !rings_->wants_to_begin(unsent_.front().byte_count()) || !rings_->fits(unsent_bytes_)) return false;
    if (!send_control(RingControl::kToRing)) return pipe_ == nullptr;
    rings_->begin_to_write();
  }
  const bool fits = rings_->fits(unsent_bytes_);
  if (fits) {
    for (const Frame& frame : unsent_) rings_->put(frame);
  } else {
    rings_->end_to_write();
  }
  rings_->out().tell_core();
  switch (rings_->publish()) {
    case 0: break;
    case kWakeAtSocket:
      if (!ring_bell()) return true;
      break;
    default: server_.wake_later(*this, rings_->out().state());
  }
  if (fits) consume(unsent_bytes_);
  return fits;
}

// False: the session has ended.
bool Session::ring_bell() {
  // If the socket is full, the client has something to read there, and looks into the ring then, too.
  return send_control(RingControl::kDoorbell) || pipe_ != nullptr;
}

// False: the socket is full, or the session has ended.
bool Session::send_control(RingControl control) {
  std::uint64_t word = ring_control(control);
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(&word), sizeof(word));
  const int written = uv_try_write(stream(), &buffer, 1);
  if (written == static_cast<int>(sizeof(word))) return true;
  if (written != UV_EAGAIN) disconnect();
  return false;
}

void Session::flush() {
  if (pipe_ != nullptr && writing_bytes_ == 0 && !unsent_.empty()) flush_to_ring();
  while (pipe_ != nullptr && writing_bytes_ == 0 && !unsent_.empty()) {
    const int written = write_some();
    if (written > 0) continue;
    if (written != UV_EAGAIN) return disconnect();
    // The socket is full: the rest goes when the peer has read, and keeps its frames until then.
    std::array<uv_buf_t, kBuffersMax> space;
    const std::span<const uv_buf_t> bufs(space.data(), fill(space));
    for (const uv_buf_t& buffer : bufs) writing_bytes_ += buffer.len;
    write_.data = this;
    const int code = uv_write(&write_, stream(), bufs.data(), static_cast<unsigned>(bufs.size()),
                              [](uv_write_t* request, int status) {
                                loop_thread.assert_here();
                                static_cast<Session*>(request->data)->on_written(status);
                              });
    if (code != 0) return disconnect();
  }
  if (!closing_ || pipe_ == nullptr) return;
  if (unsent_.empty()) return disconnect();
  if (linger_ != nullptr) return;
  linger_.reset(new uv_timer_t);
  uv_timer_init(pipe_->loop, linger_.get());
  linger_->data = this;
  uv_timer_start(
      linger_.get(),
      [](uv_timer_t* timer) {
        loop_thread.assert_here();
        static_cast<Session*>(timer->data)->disconnect();
      },
      kLingerMs, 0);
}

void Session::on_written(int status) {
  const std::size_t bytes = std::exchange(writing_bytes_, 0);
  if (pipe_ == nullptr) return;  // the write was cancelled by disconnect()
  if (status != 0) return disconnect();
  consume(bytes);
  server_.flush_later(*this);
  if (state_ != nullptr) dispatcher_.on_session_writable(*state_, monotonic_us());
}

void Session::disconnect() {
  if (pipe_ == nullptr) return;
  if (state_ != nullptr) {
    spdlog::debug("session {} closed", state_->id);
    dispatcher_.on_session_closed(*std::exchange(state_, nullptr), monotonic_us());
  }
  dispatcher_.on_unsent_changed(-static_cast<std::int64_t>(std::exchange(unsent_bytes_, 0)));
  linger_.reset();
  server_.forget_ring(*this);
  // The close callback runs after that of a write under way, which still points at this session's frames: the server
  // keeps the session until then.
  uv_close(reinterpret_cast<uv_handle_t*>(pipe_.release()), [](uv_handle_t* handle) {
    loop_thread.assert_here();
    auto* session = static_cast<Session*>(handle->data);
    delete reinterpret_cast<uv_pipe_t*>(handle);
    session->server_.forget(*session);
  });
}

}  // namespace skua
