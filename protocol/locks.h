// DatabaseLock: who has the one writer of a database and who waits for it, at one moment; and how people read that.
//
// Plain data, the same in the daemon and in the client. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skua {

// The process behind a session, as the kernel named it when the session began.
struct LockPeer {
  std::uint64_t session = 0;
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::string command;      // from /proc/PID/comm; empty if it could not be read
  std::string client_name;  // what the client calls itself
};

// Who has the writer.
struct LockHolder {
  std::optional<LockPeer> peer;   // nothing: the session is gone, and its work is being undone
  bool in_transaction = false;    // false: writes that commit by themselves; this is the oldest under way
  std::uint32_t transaction = 0;  // the client's number; 0 for BEGIN as SQL text
  std::uint64_t held_us = 0;      // for how long
  std::uint64_t idle_us = 0;      // since the transaction's last work ended; 0 while some is done
  std::string first_sql;          // after the BEGIN; each at most kLockSqlBytesMax
  std::string last_sql;           // so far
  std::uint64_t requests = 0;     // of the transaction so far; otherwise the writes under way
};

// Who waits for it.
struct LockWaiter {
  std::optional<LockPeer> peer;   // as for a holder
  std::uint64_t waited_us = 0;    // so far
  std::string sql;  // empty for a begin that is no SQL text
  bool opens_transaction = false;  // as against a write that commits by itself
};

struct DatabaseLock {
  std::string database;
  std::optional<LockHolder> holder;  // nothing: it is free
  std::vector<LockWaiter> waiting;  // in the order of their turns, the first kLockWaitersMax
  std::uint32_t waiting_count = 0;  // all of them
};

// At most so many bytes, cut between two characters of UTF-8.
std::string_view cut_text(std::string_view text, std::size_t bytes_max);
// SQL for a line of prose: each run of white space is one space, and what is cut off ends in an ellipsis.
std::string one_line(std::string_view sql, std::size_t bytes_max);
// "0.4 ms", "250 ms", "61.2 s", "12 min 5 s", "3 h 12 min".
std::string duration_text(std::uint64_t us);
// "session 5 (python3, pid 77, uid 1000)", or that it is gone.
std::string peer_text(const std::optional<LockPeer>& peer);

}  // namespace skua
