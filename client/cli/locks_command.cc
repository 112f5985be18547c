#include "client/cli/locks_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <limits>

#include "client/cli/cell_text.h"
#include "client/cli/json_printer.h"
#include "client/cli/terminal.h"

namespace skua::cli {

namespace {

std::string whole_line(std::string_view sql) {
  return printable(one_line(sql, std::numeric_limits<std::size_t>::max()), LineEnds::kEscape);
}

// The name a client gives itself is worth the room if it is another one than its program's.
std::string who(const std::optional<LockPeer>& peer) {
  std::string text = peer_text(peer);
  if (peer && !peer->client_name.empty() && peer->client_name != peer->command) {
    text += fmt::format(" \"{}\"", peer->client_name);
  }
  return printable(text, LineEnds::kEscape);
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string fit(const std::string& line, std::size_t screen_width) {
  if (screen_width < 2 || display_width(line) <= screen_width) return line;
  return std::string(lines_of(line, screen_width - 1).front()) + "…";
}

void append_holder(std::string& out, const LockHolder& holder) {
  if (holder.in_transaction) {
    const std::string name =
        holder.transaction == 0 ? "its own transaction" : fmt::format("transaction {}", holder.transaction);
    const std::string idle =
        holder.idle_us == 0 ? "at work" : fmt::format("idle for {}", duration_text(holder.idle_us));
    out += fmt::format("  in {}, {}, {} so far\n", name, idle, plural(holder.requests, "request"));
    if (!holder.first_sql.empty()) out += fmt::format("  first: {}\n", whole_line(holder.first_sql));
    if (!holder.last_sql.empty()) out += fmt::format("  last:  {}\n", whole_line(holder.last_sql));
  } else {
    out += fmt::format("  outside of a transaction, {} under way\n", plural(holder.requests, "write"));
    out += fmt::format("  oldest: {}\n", whole_line(holder.first_sql));
  }
}

void append_waiting(std::string& out, const DatabaseLock& lock, std::size_t screen_width) {
  if (lock.waiting_count == 0) return;
  out += fmt::format("  {} for it:\n", lock.waiting_count == 1 ? "1 request waits"
                                                               : fmt::format("{} requests wait", lock.waiting_count));
  for (const LockWaiter& waiter : lock.waiting) {
    const std::string wish = waiter.opens_transaction ? (waiter.sql.empty() ? "begin" : "begin: ") : "";
    out += fit(fmt::format("    {:>9}  {}: {}{}", duration_text(waiter.waited_us), who(waiter.peer), wish,
                           whole_line(waiter.sql)),
               screen_width);
    out += '\n';
  }
  if (lock.waiting_count > lock.waiting.size()) {
    out += fmt::format("    and {} more\n", lock.waiting_count - lock.waiting.size());
  }
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out += fmt::format("\"{}\":", key);
  append_json_string(out, value);
}

void append_peer(std::string& out, const std::optional<LockPeer>& peer) {
  if (!peer) {
    out += "\"peer\":null";
    return;
  }
  out += fmt::format("\"peer\":{{\"session\":{},\"pid\":{},\"uid\":{},", peer->session, peer->pid, peer->uid);
  append_text(out, "command", peer->command);
  out += ',';
  append_text(out, "client_name", peer->client_name);
  out += '}';
}

void append_holder_object(std::string& out, const std::optional<LockHolder>& holder) {
  if (!holder) {
    out += "null";
    return;
  }
  out += '{';
  append_peer(out, holder->peer);
  out += fmt::format(",\"in_transaction\":{},\"transaction\":{},\"held_us\":{},\"idle_us\":{},", holder->in_transaction,
                     holder->transaction, holder->held_us, holder->idle_us);
  append_text(out, "first_sql", holder->first_sql);
  out += ',';
  append_text(out, "last_sql", holder->last_sql);
  out += fmt::format(",\"requests\":{}}}", holder->requests);
}

}  // namespace

std::string locks_text(const std::vector<DatabaseLock>& locks, std::size_t screen_width) {
  std::string out;
  for (const DatabaseLock& lock : locks) {
    if (lock.holder) {
      out += fmt::format("{} has the writer of '{}', for {}\n", who(lock.holder->peer), lock.database,
                         duration_text(lock.holder->held_us));
      append_holder(out, *lock.holder);
    } else {
      out += fmt::format("nobody has the writer of '{}'\n", lock.database);
    }
    append_waiting(out, lock, screen_width);
  }
  return out;
}

std::string locks_json(const std::vector<DatabaseLock>& locks) {
  std::string out;
  for (const DatabaseLock& lock : locks) {
    out += out.empty() ? "[{" : ",\n{";
    append_text(out, "database", lock.database);
    out += ",\"holder\":";
    append_holder_object(out, lock.holder);
    out += fmt::format(",\"waiting_count\":{},\"waiting\":[", lock.waiting_count);
    for (const LockWaiter& waiter : lock.waiting) {
      out += &waiter == lock.waiting.data() ? "{" : ",{";
      append_peer(out, waiter.peer);
      out += fmt::format(",\"waited_us\":{},\"opens_transaction\":{},", waiter.waited_us, waiter.opens_transaction);
      append_text(out, "sql", waiter.sql);
      out += '}';
    }
    out += "]}";
  }
  return out.empty() ? "[]\n" : out + "]\n";
}

Status run_locks(const LocksArguments& arguments, Connection& connection, OutputFile& out) {
  SKUA_ASSIGN(const std::vector<DatabaseLock> locks, connection.locks());
  out.write(arguments.json ? locks_json(locks) : locks_text(locks, screen_width(STDOUT_FILENO)));
  return {};
}

}  // namespace skua::cli
