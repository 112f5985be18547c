#include "client/engine/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/src/unix_socket.h"

namespace skua {

namespace {

constexpr std::uint32_t kLookMs = 1'000;

}  // namespace

Link::Link(Loop& loop, const EngineOptions& options, Owner& owner)
    : loop_(loop),
      options_(options),
      owner_(owner),
      pause_timer_(loop,
                   [this] {
                     state_ = State::kDown;
                     owner_.on_link_down();
                   }),
      look_timer_(loop, [this] { look_after(); }),
      random_(std::random_device{}()) {}

Link::~Link() { close(); }

void Link::ensure() {
  if (state_ != State::kDown) return;
  const ConnectOptions& connect = options_.connect;
  Result<FileDescriptor> socket =
      connect_unix_at_once(connect.socket_path.empty() ? default_socket_path() : connect.socket_path);
  if (!socket) return fail(socket.error());
  Result<std::shared_ptr<Channel>> channel = Channel::open_driven(std::move(*socket), connect, *this);
  if (!channel) return fail(channel.error());
  channel_ = std::move(*channel);
  state_ = State::kGreeting;
  greeting_since_ = heard_ = Clock::now();
  ping_.reset();
  watch_socket();
  on_unsent();
  look_timer_.start(std::min(kLookMs, connect.connect_timeout_ms), false);
}

void Link::watch_socket() {
  poll_.reset(new uv_poll_t());
  uv_poll_init(loop_.uv(), poll_.get(), channel_->descriptor());
  poll_->data = this;
  events_ = 0;
  poll_for(UV_READABLE);
  if (!is_used_) uv_unref(reinterpret_cast<uv_handle_t*>(poll_.get()));
}

void Link::poll_for(int events) {
  if (events == events_ || poll_ == nullptr) return;
  events_ = events;
  uv_poll_start(poll_.get(), events, [](uv_poll_t* handle, int status, int ready) {
    static_cast<Link*>(handle->data)->on_socket(status, ready);
  });
}

void Link::keep_alive(bool is_used) {
  if (is_used == is_used_) return;
  is_used_ = is_used;
  if (poll_ == nullptr) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(poll_.get());
  is_used ? uv_ref(handle) : uv_unref(handle);
}

void Link::on_socket(int status, int events) {
  const std::shared_ptr<Channel> channel = channel_;
  heard_ = Clock::now();
  if (status < 0) return channel->give_up(fmt::format("cannot wait for the daemon: {}", uv_strerror(status)));
  if ((events & UV_WRITABLE) != 0) flush();
  if (channel->is_open() && (events & ~UV_WRITABLE) != 0 && channel->receive_when_readable()) loop_.on_taken();
  on_received(*channel);
  if (state_ == State::kGreeting && channel->is_greeted()) greet();
}

bool Link::take() {
  const std::shared_ptr<Channel> channel = channel_;
  if (!channel->ring_is_read() || !channel->receive_available()) return false;
  heard_ = Clock::now();
  on_received(*channel);
  return true;
}

void Link::on_received(Channel& channel) {
  if (!ping_ || !channel.is_open() || !channel.is_ready(*ping_)) return;
  static_cast<void>(channel.take(*ping_));
  ping_.reset();
}

void Link::on_unsent() {
  if (channel_ == nullptr) return;  // ensure() has not gone on yet
  // A stream or transaction that is destroyed while the loop does not run must not keep what it has in the daemon until it does.
  if (loop_.may_be_running()) {
    loop_.announce(*this);
  } else {
    flush();
  }
}

void Link::flush() {
  if (!channel_->is_open()) return;
  const std::shared_ptr<Channel> channel = channel_;
  channel->send_queued();
  if (channel->is_open()) poll_for(channel->has_unsent() ? UV_READABLE | UV_WRITABLE : UV_READABLE);
  if (state_ == State::kGreeting && channel->is_greeted()) greet();
}

void Link::greet() {
  if (const Status greeted = channel_->finish_hello(); !greeted) {
    close();
    return fail(greeted.error());
  }
  state_ = State::kUp;
  loop_.add(*this);
  pause_ms_ = 0;
  owner_.on_link_up();
}

void Link::on_lost() {
  // The channel closes the descriptor when this returns.
  poll_.reset();
  loop_.withdraw(*this);
  loop_.remove(*this);
  look_timer_.stop();
  if (state_ == State::kGreeting) return;  // greet() says why
  if (state_ != State::kUp) return;
  pause();
  owner_.on_link_lost();
}

void Link::close() {
  state_ = State::kDown;
  if (channel_ == nullptr) return;
  channel_->give_up("closed by the program");
  channel_.reset();
}

void Link::fail(const Error& error) {
  pause();
  owner_.on_link_failed(error);
}

void Link::pause() {
  state_ = State::kPausing;
  const std::uint32_t longest = std::max(options_.reconnect_ms_max, options_.reconnect_ms_min);
  // The first attempt after a loss comes at once: most often the daemon is there again, or was restarted.
  const std::uint32_t pause_ms = pause_ms_;
  pause_ms_ = pause_ms == 0 ? options_.reconnect_ms_min : std::min(pause_ms * 2, longest);
  const std::uint32_t quarter = pause_ms / 4;
  const auto varied = pause_ms - quarter + std::uniform_int_distribution<std::uint32_t>(0, 2 * quarter)(random_);
  pause_timer_.start(varied, is_used_);
}

void Link::look_after() {
  const auto now = Clock::now();
  const std::shared_ptr<Channel> channel = channel_;
  if (state_ == State::kGreeting) {
    if (now - greeting_since_ >= std::chrono::milliseconds(options_.connect.connect_timeout_ms)) {
      close();
      return fail(make_error(ErrorCode::kConnect, fmt::format("skuad did not answer within {} ms",
                                                              options_.connect.connect_timeout_ms)));
    }
  } else if (state_ == State::kUp) {
    channel->check_deadlines();
    const std::chrono::milliseconds quiet_max(options_.liveness_ms);
    if (channel->is_open() && options_.liveness_ms > 0) {
      if (now - heard_ >= 2 * quiet_max && ping_) {
        channel->give_up(fmt::format("the daemon gave no sign of life for {} ms", 2 * options_.liveness_ms));
      } else if (now - heard_ >= quiet_max && !ping_) {
        if (Result<Request> request = ping_request(channel->head({})); request) {
          if (Result<std::uint64_t> id = channel->start(std::move(*request)); id) ping_ = *id;
        }
      }
    }
  }
  if (state_ == State::kGreeting || state_ == State::kUp) look_timer_.start(kLookMs, false);
}

}  // namespace skua
