#include "daemon/core/lock_report.h"

#include <fmt/format.h>

#include "daemon/core/session_state.h"
#include "protocol/limits.h"

namespace skua {

namespace {

// An error message is read in a log or on a terminal; `skua locks` shows more of the statement.
constexpr std::size_t kClauseSqlBytesMax = 200;

std::optional<LockPeer> peer_of(const SessionState* session) {
  if (session == nullptr) return std::nullopt;
  return LockPeer{session->id, session->peer.pid, session->peer.uid, session->peer.command, session->client_name};
}

std::string sql_of(const Request& request) { return std::string(cut_text(request.sql, kLockSqlBytesMax)); }

}  // namespace

void note_request(Transaction& transaction, const Request& request) {
  ++transaction.request_count;
  // Who reads keeps nobody waiting.
  if (transaction.read_only || request.sql.empty()) return;
  transaction.last_sql = cut_text(request.sql, kLockSqlBytesMax);
  if (transaction.first_sql.empty()) transaction.first_sql = transaction.last_sql;
}

LockHolder holder_of(const Transaction& transaction, std::uint64_t now_us) {
  LockHolder holder;
  holder.peer = peer_of(transaction.session);
  holder.in_transaction = true;
  holder.transaction = transaction.number;
  holder.held_us = now_us - transaction.held_since_us;
  if (!transaction.job_running) holder.idle_us = now_us - transaction.idle_since_us;
  holder.first_sql = transaction.first_sql;
  holder.last_sql = transaction.last_sql;
  holder.requests = transaction.request_count;
  return holder;
}

LockHolder holder_of(const Request& write, std::uint64_t since_us, std::size_t handed, std::uint64_t now_us) {
  LockHolder holder;
  holder.peer = peer_of(write.session);
  holder.held_us = now_us - since_us;
  holder.first_sql = sql_of(write);
  holder.last_sql = holder.first_sql;
  holder.requests = handed;
  return holder;
}

LockWaiter waiter_of(const Request& request, std::uint64_t now_us) {
  return {peer_of(request.session), now_us - request.wait_since_us, sql_of(request), request.transaction != nullptr};
}

std::string holder_clause(const LockHolder& holder) {
  const std::string sql = one_line(holder.last_sql, kClauseSqlBytesMax);
  const std::string start = fmt::format("{} has had it for {}", peer_text(holder.peer), duration_text(holder.held_us));
  if (!holder.in_transaction) return fmt::format("{} with the statement: {}", start, sql);
  if (holder.idle_us == 0) {
    return fmt::format("{} in a transaction that is at work{}{}", start, sql.empty() ? "" : ", its last statement: ",
                       sql);
  }
  return fmt::format("{} in a transaction that is idle for {}, {}{}", start, duration_text(holder.idle_us),
                     sql.empty() ? "without a statement so far" : "its last statement: ", sql);
}

}  // namespace skua
