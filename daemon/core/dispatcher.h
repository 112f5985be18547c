// Dispatcher: the front of core/. Takes frames from sessions and finished jobs from the lanes, checks, and routes.
//
// Owns the sessions' state and everything below it. Every entry is told the time. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/core/backups.h"
#include "daemon/core/classifier.h"
#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/reader_scheduler.h"
#include "daemon/core/session_state.h"
#include "daemon/core/transaction_manager.h"
#include "daemon/core/wal_budget.h"
#include "daemon/core/write_scheduler.h"

namespace skua {

struct DispatcherOptions {
  Limits limits;
  std::vector<std::string> database_names;
  std::string server_version;
  std::string sqlite_version;
};

class Dispatcher {
 public:
  Dispatcher(DispatcherOptions options, Executor& executor, std::uint64_t now_us);

  // The sink must outlive on_session_closed(). kLimit if there are too many sessions; kUnavailable while draining.
  Result<SessionState*> open_session(PeerIdentity peer, ReplySink& sink, std::uint64_t now_us)
      SKUA_REQUIRES(loop_thread);
  void on_frame(SessionState& session, Frame frame, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  // The same for a frame of at most RequestMessage::kInlineWords, which stays with the caller.
  void on_frame(SessionState& session, FrameView frame, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  // The byte stream cannot be read on: answers under id 0 and closes the session.
  void on_broken_stream(SessionState& session, const Error& error) SKUA_REQUIRES(loop_thread);
  // The peer took what was sent to it.
  void on_session_writable(SessionState& session, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  // Responses that sessions have taken and their sockets have not are now so many bytes more, or fewer.
  void on_unsent_changed(std::int64_t bytes) SKUA_REQUIRES(loop_thread) {
    context_.memory.unsent += static_cast<std::uint64_t>(bytes);
  }
  void on_session_closed(SessionState& session, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  void on_job_done(std::unique_ptr<Job> job, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);

  // When on_time() is to be called next, if at all.
  std::optional<std::uint64_t> next_time_us() const SKUA_REQUIRES(loop_thread) {
    return readers_.wants_turn() || delivery_.has_memory_again() ? context_.now_us : context_.janitor.next_us();
  }
  void on_time(std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  // Before the caller waits for more to happen, when it has passed on what the turn's answers are. Jobs may be done on return.
  void on_turn_end(std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  // How the caller is going to wait then: asking for events again and again, or asleep until there is one.
  void on_wait(bool awake) SKUA_REQUIRES(loop_thread);

  // From now on new work is refused and every session is closed as soon as it has none left.
  void start_drain(std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  bool is_drained() const SKUA_REQUIRES(loop_thread) { return draining_ && sessions_.empty(); }
  // Ends every session, whatever it is doing.
  void close_all_sessions() SKUA_REQUIRES(loop_thread);

  std::size_t session_count() const SKUA_REQUIRES(loop_thread) { return sessions_.size(); }
  // Threads have work.
  bool has_jobs_under_way() const SKUA_REQUIRES(loop_thread) { return context_.jobs_under_way > 0; }
  std::string status_line() const SKUA_REQUIRES(loop_thread);

 private:
  using RequestPointer = std::shared_ptr<Request>;

  template <class AnyFrame>
  void open(SessionState& session, AnyFrame&& frame, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  Status hello(SessionState& session, const RequestMessage& message) SKUA_REQUIRES(loop_thread);
  Status grant(SessionState& session, wire::Request::Reader root) SKUA_REQUIRES(loop_thread);
  Status cancel(SessionState& session, wire::Request::Reader root) SKUA_REQUIRES(loop_thread);
  Status share_rings(SessionState& session, const Request& request) SKUA_REQUIRES(loop_thread);
  Status stats(SessionState& session, wire::Request::Reader root) SKUA_REQUIRES(loop_thread);
  Status locks(SessionState& session, wire::Request::Reader root) SKUA_REQUIRES(loop_thread);
  // Handles what needs no lane; passes the rest on to accept().
  Status handle(SessionState& session, const RequestPointer& request) SKUA_REQUIRES(loop_thread);
  Status accept(SessionState& session, const RequestPointer& request) SKUA_REQUIRES(loop_thread);
  // A single statement outside of transactions that looks like a read.
  bool may_be_read_at_once(const SessionState& session, const Request& request) const SKUA_REQUIRES(loop_thread);
  // From now on its session knows of the request, and its deadline counts.
  void list(SessionState& session, const RequestPointer& request) SKUA_REQUIRES(loop_thread);
  Status route(SessionState& session, const RequestPointer& request) SKUA_REQUIRES(loop_thread);
  Status route_opener(SessionState& session, const RequestPointer& request, std::uint32_t number)
      SKUA_REQUIRES(loop_thread);
  Result<std::uint16_t> find_database(std::string_view name) const SKUA_REQUIRES(loop_thread);
  Status check_unread(const SessionState& session) const SKUA_REQUIRES(loop_thread);
  Status check_room(const SessionState& session, std::size_t bytes) const SKUA_REQUIRES(loop_thread);

  // A request that names this transaction was refused; what becomes of it.
  TransactionState refuse_in_transaction(SessionState& session, std::uint32_t number) SKUA_REQUIRES(loop_thread);
  void stop(const RequestPointer& request, CancelReason reason) SKUA_REQUIRES(loop_thread);
  void resume(const RequestPointer& request) SKUA_REQUIRES(loop_thread);
  void refuse_and_close(SessionState& session, std::uint64_t request_id, const Error& error)
      SKUA_REQUIRES(loop_thread);
  // While draining: closes the sessions that have nothing left to do.
  void settle() SKUA_REQUIRES(loop_thread);

  DispatcherOptions options_;
  CoreContext context_ SKUA_GUARDED_BY(loop_thread);
  Classifier classifier_ SKUA_GUARDED_BY(loop_thread);
  Delivery delivery_ SKUA_GUARDED_BY(loop_thread);
  ReaderScheduler readers_ SKUA_GUARDED_BY(loop_thread);
  WriteScheduler writers_ SKUA_GUARDED_BY(loop_thread);
  TransactionManager transactions_ SKUA_GUARDED_BY(loop_thread);
  Backups backups_ SKUA_GUARDED_BY(loop_thread);
  WalBudget wal_ SKUA_GUARDED_BY(loop_thread);
  std::unordered_map<std::uint64_t, std::unique_ptr<SessionState>> sessions_ SKUA_GUARDED_BY(loop_thread);
  std::uint64_t last_session_id_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::size_t rings_count_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t last_serial_ SKUA_GUARDED_BY(loop_thread) = 0;
  // Whose the latest frame was, and since when all of them were.
  std::uint64_t active_session_id_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t active_since_us_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t started_us_ SKUA_GUARDED_BY(loop_thread) = 0;
  bool draining_ SKUA_GUARDED_BY(loop_thread) = false;
};

}  // namespace skua
