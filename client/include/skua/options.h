// What a caller may say about a connection, a request and a transaction. Plain data.
#pragma once

#include <cstdint>
#include <string>

#include "skua/execution.h"

namespace skua {

struct ConnectOptions {
  // Empty: $SKUA_SOCKET, else $XDG_RUNTIME_DIR/skua/skua.sock, else /run/skua/skua.sock.
  std::string socket_path;
  // The default for requests that name none. Empty: the daemon's only database.
  std::string database;
  // Shown to operators.
  std::string client_name = "libskua";
  std::uint32_t connect_timeout_ms = 5'000;
  // To watch what is executed.
  ExecutionHooks hooks{};
  EchoOptions echo{};
};

enum class Durability : std::uint16_t {
  kFull = 0,     // acknowledged after it was synced to the disk
  kRelaxed = 1,  // acknowledged after it was written to the log: a power failure may undo it
};

struct RequestOptions {
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

enum class TransactionMode : std::uint16_t { kWrite = 0, kRead = 1 };

}  // namespace skua
