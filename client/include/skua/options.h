// What a caller may say about a connection, a request and a transaction. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "skua/execution.h"

namespace skua {

// About a connection.
struct ConnectOptions {
  // Empty: $SKUA_SOCKET, else $XDG_RUNTIME_DIR/skua/skua.sock, else /run/skua/skua.sock.
  std::string socket_path;
  // The default for requests that name none. Empty: the daemon's only database.
  std::string database;
  // Shown to operators.
  std::string client_name = "libskua";
  // Until the daemon has answered; then it is kConnect.
  std::uint32_t connect_timeout_ms = 5'000;
  // In microseconds: where answers have come within that time, a blocking call asks for the next one without a pause for as long
  // before it sleeps, which spares it the waking; twelve times as long where nobody else wants the core. So does an engine's loop for
  // answers that come in shared memory. Meanwhile a thread that may run on every core leaves the one where the daemon works, by
  // sched_setaffinity(2), which is then as it was. 0: sleeps at once, and stays.
  std::uint32_t busy_poll_us = 50;
  // A connection that is used often shares memory with the daemon, if that has it: short requests and answers then need hardly a
  // system call.
  bool shared_memory = true;
  // To watch what is executed.
  ExecutionHooks hooks{};
  EchoOptions echo{};
};

// What an acknowledged write survives.
enum class Durability : std::uint16_t {
  kFull = 0,     // acknowledged after it was synced to the disk
  kRelaxed = 1,  // acknowledged after it was written to the log: a power failure may undo it
};

// About one request. Not an aggregate on purpose, as all that is handed to coroutines by value: gcc 12 copies an aggregate that
// is made within a co_await expression byte by byte, strings and all.
struct RequestOptions {
  RequestOptions() = default;

  // For use in an expression: RequestOptions().with_deadline_ms(500).
  RequestOptions& with_database(std::string name) {
    database = std::move(name);
    return *this;
  }
  RequestOptions& with_deadline_ms(std::uint32_t milliseconds) {
    deadline_ms = milliseconds;
    return *this;
  }
  RequestOptions& with_durability(Durability wanted) {
    durability = wanted;
    return *this;
  }
  RequestOptions& with_window_bytes(std::uint32_t bytes) {
    window_bytes = bytes;
    return *this;
  }
  RequestOptions& with_idempotency_key(std::string key) {
    idempotency_key = std::move(key);
    return *this;
  }
  RequestOptions& with_independent() {
    independent = true;
    return *this;
  }

  std::string database;                       // empty: the connection's
  std::uint32_t deadline_ms = 0;              // 0: none
  Durability durability = Durability::kFull;  // a transaction's is said to begin()
  std::uint32_t window_bytes = 0;             // a stream's credit; 0: the daemon's default
  // At most 255 bytes; empty: none. For a write outside of a transaction whose answer may get lost: sent again with the same
  // key it is not done again, and answered as the first time. A key belongs to one request, and is remembered for a day
  // unless the daemon is configured otherwise.
  std::string idempotency_key;
  // For execute_many outside of a transaction: each row stands for itself. The rows are committed in slices of some
  // milliseconds, and others write in between. A row that fails ends it: the rows before it stay committed, it is undone, and
  // those behind it are not tried. After any error that the daemon answered with, Error::row tells how many rows are
  // committed (-1: none): the row to go on with. In place of an idempotency key, which cannot be had with it.
  bool independent = false;
};

// What a transaction is for: writing, or reading one snapshot.
enum class TransactionMode : std::uint16_t { kWrite = 0, kRead = 1 };

}  // namespace skua
