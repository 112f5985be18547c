// Server: the libuv loop with all that hangs on it: listener, sessions, completions, timers, signals.
//
// run() makes its thread the loop thread and returns after an orderly shutdown: on SIGTERM or SIGINT no more connections
// and no new work are taken, work under way is finished within drain_ms_max, and the sessions are closed. A second signal
// cuts that short.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/base/thread_annotations.h"
#include "daemon/core/access.h"
#include "daemon/core/completion_queue.h"
#include "daemon/core/dispatcher.h"
#include "daemon/net/busy_loop.h"
#include "daemon/net/listener.h"
#include "daemon/net/loop_waker.h"
#include "daemon/net/service_notifier.h"
#include "daemon/net/session.h"
#include "protocol/frame_reader.h"
#include "protocol/limits.h"
#include "protocol/shared_rings.h"

namespace skua {

class Server {
 public:
  Server(Dispatcher& dispatcher, CompletionQueue& completions, AccessRules access, const Limits& limits);
  ~Server();

  Status bind(const Listener::Options& options) { return listener_.bind(options); }
  Status run();

  // ---- for its sessions
  const AccessRules& access() const { return access_; }
  SharedReadBuffer& read_buffer() { return read_buffer_; }
  // Something came in from a session.
  void on_event(std::uint64_t now_us) SKUA_REQUIRES(loop_thread) { busy_loop_->on_event(now_us); }
  void flush_later(Session& session) SKUA_REQUIRES(loop_thread);
  // Looks into the session's ring in each turn, until it has been empty for a while.
  void watch_ring(Session& session) SKUA_REQUIRES(loop_thread);
  void forget_ring(Session& session) SKUA_REQUIRES(loop_thread);
  // The session's client sleeps at its ring, which has something for it: it is woken when all sessions are flushed, at the latest.
  void wake_later(Session& session, RingState& ring) SKUA_REQUIRES(loop_thread);
  // The session's socket is closed for good.
  void forget(Session& session) SKUA_REQUIRES(loop_thread);

 private:
  void on_connection() SKUA_REQUIRES(loop_thread);
  // False if there were none.
  bool on_completions() SKUA_REQUIRES(loop_thread);
  void on_signal(int number) SKUA_REQUIRES(loop_thread);
  void wake_last() SKUA_REQUIRES(loop_thread);
  // What clients have put into their rings.
  void read_rings() SKUA_REQUIRES(loop_thread);
  // In the middle of that: threads get their work and give back what is done, and answers leave.
  void carry_on() SKUA_REQUIRES(loop_thread);
  // Before the loop sleeps. False: there is something in one of them.
  bool leave_rings() SKUA_REQUIRES(loop_thread);
  // Sends what there is to be sent.
  void flush_sessions() SKUA_REQUIRES(loop_thread);
  // Before the loop waits for events.
  void on_turn_end() SKUA_REQUIRES(loop_thread);
  void arm_timer() SKUA_REQUIRES(loop_thread);
  void disconnect_all() SKUA_REQUIRES(loop_thread);
  void start_signals() SKUA_REQUIRES(loop_thread);
  void start_timers() SKUA_REQUIRES(loop_thread);

  Dispatcher& dispatcher_;
  CompletionQueue& completions_;
  const AccessRules access_;
  const std::uint32_t drain_ms_max_;
  uv_loop_t loop_ = {};
  Listener listener_;
  std::unique_ptr<LoopWaker> waker_;
  std::unique_ptr<ServiceNotifier> notifier_;
  std::unique_ptr<BusyLoop> busy_loop_;
  UvHandle<uv_timer_t> timer_;
  UvHandle<uv_timer_t> drain_timer_;
  UvHandle<uv_prepare_t> prepare_;
  std::vector<UvHandle<uv_signal_t>> signals_;
  SharedReadBuffer read_buffer_;
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_ SKUA_GUARDED_BY(loop_thread);
  // In whose rings the loop looks. Null: a session that has gone since.
  std::vector<Session*> watched_ SKUA_GUARDED_BY(loop_thread);
  std::vector<Session*> dirty_ SKUA_GUARDED_BY(loop_thread);
  // Empty but inside of flush_sessions(). A member so that it keeps its memory.
  std::vector<Session*> flushing_ SKUA_GUARDED_BY(loop_thread);
  // Whose client is to be woken, with the next one or when all are flushed.
  RingState* to_wake_ SKUA_GUARDED_BY(loop_thread) = nullptr;
  Session* session_to_wake_ SKUA_GUARDED_BY(loop_thread) = nullptr;
  std::uint64_t armed_us_ SKUA_GUARDED_BY(loop_thread) = 0;
  bool draining_ SKUA_GUARDED_BY(loop_thread) = false;
};

}  // namespace skua
