#include "daemon/net/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/net/uv_error.h"

namespace skua {

namespace {

// So long nothing comes through a ring before the loop looks there no more: a look costs a few nanoseconds, a bell a microsecond.
constexpr std::uint64_t kRingQuietUs = 2'000;
// After so many clients' requests the loop sees to what threads do, for it may be a write that somebody waits for.
constexpr std::size_t kRingsAtOnce = 4;

}  // namespace

Server::Server(Dispatcher& dispatcher, CompletionQueue& completions, AccessRules access, const Limits& limits)
    : dispatcher_(dispatcher), completions_(completions), access_(std::move(access)), drain_ms_max_(limits.drain_ms_max) {
  SKUA_CHECK(uv_loop_init(&loop_) == 0);
  busy_loop_ = std::make_unique<BusyLoop>(loop_, busy_poll_us_here(limits.busy_poll_us));
  waker_ = std::make_unique<LoopWaker>(loop_, [this] {
    loop_thread.assert_here();
    on_completions();
  });
  completions_.set_waker([this] { waker_->wake(); });
}

Server::~Server() {
  loop_thread.assert_here();
  listener_.close();
  disconnect_all();
  busy_loop_.reset();
  waker_.reset();
  notifier_.reset();
  timer_.reset();
  drain_timer_.reset();
  prepare_.reset();
  signals_.clear();
  // The close callbacks of all of these still have to run.
  uv_run(&loop_, UV_RUN_DEFAULT);
  SKUA_CHECK(uv_loop_close(&loop_) == 0);
}

Status Server::run() {
  loop_thread.assert_here();
  // A peer that closes while it is written to is an error of the write, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that would grow beyond what the process may write (RLIMIT_FSIZE).
  std::signal(SIGXFSZ, SIG_IGN);
  SKUA_TRY(listener_.listen(loop_, [this] {
    loop_thread.assert_here();
    on_connection();
  }));
  start_timers();
  start_signals();
  notifier_ = std::make_unique<ServiceNotifier>(loop_, [this] {
    loop_thread.assert_here();
    return dispatcher_.status_line();
  });
  spdlog::info("listening at {}", listener_.description());
  notifier_->ready();
  uv_run(&loop_, UV_RUN_DEFAULT);
  return {};
}

void Server::start_timers() {
  timer_.reset(new uv_timer_t);
  uv_timer_init(&loop_, timer_.get());
  timer_->data = this;
  prepare_.reset(new uv_prepare_t);
  uv_prepare_init(&loop_, prepare_.get());
  prepare_->data = this;
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* prepare) {
    loop_thread.assert_here();
    static_cast<Server*>(prepare->data)->on_turn_end();
  });
}

void Server::start_signals() {
  for (const int number : {SIGTERM, SIGINT}) {
    UvHandle<uv_signal_t> handle(new uv_signal_t);
    uv_signal_init(&loop_, handle.get());
    handle->data = this;
    uv_signal_start(
        handle.get(),
        [](uv_signal_t* signal, int signal_number) {
          loop_thread.assert_here();
          static_cast<Server*>(signal->data)->on_signal(signal_number);
        },
        number);
    signals_.push_back(std::move(handle));
  }
}

void Server::on_connection() {
  auto session = std::make_unique<Session>(*this, dispatcher_);
  Session& added = *session;
  sessions_.emplace(&added, std::move(session));
  if (!added.accept(listener_.stream(), loop_)) sessions_.erase(&added);
}

bool Server::on_completions() {
  bool had_any = false;
  // What a transaction runs at once ends while those before it are looked at: their answers leave together.
  while (true) {
    auto jobs = completions_.take();
    if (jobs.empty()) return had_any;
    had_any = true;
    on_event(monotonic_us());
    for (std::unique_ptr<Job>& job : jobs) dispatcher_.on_job_done(std::move(job), monotonic_us());
  }
}

void Server::on_signal(int number) {
  if (draining_) {
    spdlog::warn("second signal: ending the sessions at once");
    return disconnect_all();
  }
  spdlog::info("signal {}: finishing the work of {} sessions", number, dispatcher_.session_count());
  draining_ = true;
  listener_.close();
  dispatcher_.start_drain(monotonic_us());
  notifier_->stopping();
  drain_timer_.reset(new uv_timer_t);
  uv_timer_init(&loop_, drain_timer_.get());
  drain_timer_->data = this;
  uv_timer_start(
      drain_timer_.get(),
      [](uv_timer_t* timer) {
        loop_thread.assert_here();
        auto* server = static_cast<Server*>(timer->data);
        spdlog::warn("work was not finished within drain_ms_max: ending {} sessions",
                     server->dispatcher_.session_count());
        server->disconnect_all();
      },
      drain_ms_max_, 0);
}

void Server::disconnect_all() {
  std::vector<Session*> all;
  for (const auto& [session, owner] : sessions_) all.push_back(session);
  for (Session* session : all) session->disconnect();
}

void Server::flush_later(Session& session) {
  if (session.is_dirty) return;
  session.is_dirty = true;
  dirty_.push_back(&session);
}

void Server::watch_ring(Session& session) {
  if (session.is_watched) return;
  session.is_watched = true;
  watched_.push_back(&session);
}

void Server::forget_ring(Session& session) {
  if (session_to_wake_ == &session) wake_last();
  if (std::exchange(session.is_watched, false)) std::replace(watched_.begin(), watched_.end(), &session, static_cast<Session*>(nullptr));
}

void Server::wake_later(Session& session, RingState& ring) {
  if (to_wake_ == nullptr) {
    to_wake_ = &ring;
    session_to_wake_ = &session;
    return;
  }
  RingWriter::wake_readers(*std::exchange(to_wake_, nullptr), ring);
}

void Server::wake_last() {
  if (to_wake_ != nullptr) RingWriter::wake_reader(*std::exchange(to_wake_, nullptr));
}

void Server::read_rings() {
  const std::uint64_t now_us = monotonic_us();
  std::size_t had_something = 0;
  // What is carried out may end sessions, and begin to watch others.
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    Session* const session = watched_[i];
    if (session == nullptr) continue;
    if (session->read_ring()) {
      if (++had_something % kRingsAtOnce == 0 && dispatcher_.has_jobs_under_way()) carry_on();
      continue;
    }
    if (now_us < session->ring_used_us() + kRingQuietUs) continue;
    if (watched_[i] == nullptr || !session->leave_ring()) continue;
    session->is_watched = false;
    watched_[i] = nullptr;
  }
  std::erase(watched_, nullptr);
}

void Server::carry_on() {
  flush_sessions();
  dispatcher_.on_turn_end(monotonic_us());
  on_completions();
}

bool Server::leave_rings() {
  bool all_left = true;
  for (Session*& session : watched_) {
    if (session == nullptr) continue;  // gone in this turn
    if (!session->leave_ring()) {
      all_left = false;
      continue;
    }
    session->is_watched = false;
    session = nullptr;
  }
  std::erase(watched_, nullptr);
  return all_left;
}

void Server::forget(Session& session) {
  std::erase(dirty_, &session);
  forget_ring(session);
  sessions_.erase(&session);
}

void Server::flush_sessions() {
  // Flushing may resume streams of other sessions, which then are dirty too.
  while (!dirty_.empty()) {
    flushing_.swap(dirty_);
    for (Session* session : flushing_) {
      session->is_dirty = false;
      session->flush();
    }
    flushing_.clear();
  }
  wake_last();
}

void Server::on_turn_end() {
  do {
    read_rings();
    flush_sessions();
    dispatcher_.on_turn_end(monotonic_us());
  } while (on_completions());
  // While threads have work they are better off with the core.
  const bool may_be_busy = !dispatcher_.has_jobs_under_way();
  bool is_awake = busy_loop_->before_poll(monotonic_us(), may_be_busy);
  if (!is_awake && !leave_rings()) {
    busy_loop_->stay_awake();
    is_awake = true;
  }
  dispatcher_.on_wait(is_awake);
  arm_timer();
  if (draining_ && sessions_.empty()) uv_stop(&loop_);
}

void Server::arm_timer() {
  const std::optional<std::uint64_t> next_us = dispatcher_.next_time_us();
  if (!next_us) {
    if (armed_us_ != 0) uv_timer_stop(timer_.get());
    armed_us_ = 0;
    return;
  }
  if (armed_us_ == *next_us) return;
  armed_us_ = *next_us;
  const std::uint64_t now_us = monotonic_us();
  // Rounded up, so that it does not fire just before its time.
  const std::uint64_t wait_ms = *next_us > now_us ? (*next_us - now_us + 999) / 1000 : 0;
  uv_update_time(&loop_);
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        loop_thread.assert_here();
        auto* server = static_cast<Server*>(timer->data);
        server->armed_us_ = 0;
        server->dispatcher_.on_time(monotonic_us());
      },
      wait_ms, 0);
}

}  // namespace skua
