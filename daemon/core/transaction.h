// Transaction: one interactive transaction of a session. Owned by the session's map and by what is under way in it;
// moved only by the TransactionManager. Loop thread.
//
//                    lane granted        BEGIN done            COMMIT or ROLLBACK sent       done
//   begin ─► waiting ───────────► opening ─────────► open ─────────────────────────► ending ─────► closed
//               │                    │                 │ ▲                             │ │            ▲
//               │ cancelled,         │ BEGIN failed    │ └──── COMMIT was refused ─────┘ │            │
//               │ deadline           ▼                 │ SQLite rolled back, a limit      │            │
//               └────────────────► aborted ◄───────────┘ (through ending if the           │            │
//                                    │   ▲                ROLLBACK is still to be sent)    │            │
//                                    │   └─────────────────────────────────────────────────┘            │
//                                    └────────────── the client says rollback, or is gone ──────────────┘
//
// In waiting, aborted and closed it has no connection; in opening, open and ending it has one, and at most one job on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/thread_annotations.h"
#include "daemon/core/request.h"
#include "protocol/error.h"

namespace skua {

enum class SavepointAction : std::uint16_t;

struct SessionState;

struct Transaction {
  enum class State : std::uint8_t { kWaiting, kOpening, kOpen, kEnding, kAborted, kClosed };

  std::uint32_t number = 0;
  std::uint64_t session_id = 0;
  std::uint16_t database = 0;
  bool read_only = false;
  bool abort_on_error = false;
  bool relaxed = false;
  // Not a transaction but a session's own reader connection, for its TEMP objects: its statements commit one by one, and
  // it is open until the session ends. What cannot be done on a reader goes on to the writer.
  bool pinned = false;

  // Null once the session is gone.
  SessionState* session SKUA_GUARDED_BY(loop_thread) = nullptr;
  State state SKUA_GUARDED_BY(loop_thread) = State::kWaiting;
  std::uint32_t slot SKUA_GUARDED_BY(loop_thread) = 0;
  bool job_running SKUA_GUARDED_BY(loop_thread) = false;
  // The request whose job runs, if it is one.
  std::shared_ptr<Request> running SKUA_GUARDED_BY(loop_thread);
  // Until its BEGIN is done: the transactions that the same request opens, on the same snapshot.
  std::vector<std::shared_ptr<Transaction>> siblings SKUA_GUARDED_BY(loop_thread);
  // Requests that wait for their turn, in order of arrival.
  std::deque<std::shared_ptr<Request>> queue SKUA_GUARDED_BY(loop_thread);
  // Requests whose cursors have more rows.
  std::vector<std::shared_ptr<Request>> cursors SKUA_GUARDED_BY(loop_thread);
  // Innermost last.
  std::vector<std::string> savepoints SKUA_GUARDED_BY(loop_thread);
  // SAVEPOINT outside of a transaction opened it: releasing the outermost commits.
  bool opened_by_savepoint SKUA_GUARDED_BY(loop_thread) = false;
  // Why it was or is to be rolled back by the daemon; empty otherwise.
  std::string abort_reason SKUA_GUARDED_BY(loop_thread);
  // For whoever asks who has the writer: since when it has it, how many requests have had their turn, the opening one
  // included, and the SQL of the first behind that and of the last one, cut to kLockSqlBytesMax.
  std::uint64_t held_since_us SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t request_count SKUA_GUARDED_BY(loop_thread) = 0;
  std::string first_sql SKUA_GUARDED_BY(loop_thread);
  std::string last_sql SKUA_GUARDED_BY(loop_thread);
  std::uint64_t idle_since_us SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t idle_timer SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t total_timer SKUA_GUARDED_BY(loop_thread) = 0;

  // Aborts the daemon if the drawing has no such move.
  void move_to(State to) SKUA_REQUIRES(loop_thread);
  // After each move, once what belongs to it is done.
  void check_invariants() const SKUA_REQUIRES(loop_thread);
  // The innermost savepoint of that name, or the number of savepoints. SQLite compares without case.
  std::size_t find_savepoint(const std::string& name) const SKUA_REQUIRES(loop_thread);
  // The engine has done it.
  void on_savepoint(SavepointAction action, const std::string& name) SKUA_REQUIRES(loop_thread);
  // It waits for a connection, and the request is the one that opens it.
  bool is_opened_by(const Request& request) const SKUA_REQUIRES(loop_thread);
  // It has not ended, nor begun to.
  bool may_still_commit() const SKUA_REQUIRES(loop_thread) {
    return state == State::kWaiting || state == State::kOpening || state == State::kOpen;
  }
  // What it will be after the request, which is in it, is stopped.
  TransactionState state_after_stop(const Request& request) const SKUA_REQUIRES(loop_thread);
  bool has_connection() const SKUA_REQUIRES(loop_thread) {
    return state == State::kOpening || state == State::kOpen || state == State::kEnding;
  }
};

Error transaction_error(ErrorCode code, TransactionState state, std::string message);

}  // namespace skua
