// DatabaseOptions: what the configuration says of one database. Plain data.
#pragma once

#include <cstdint>
#include <string>

namespace skua {

struct DatabaseOptions {
  std::string name;
  std::string file;
  bool create = true;         // false: a missing file is an error
  bool foreign_keys = true;   // enforced, unlike in SQLite by default
  // Lets triggers and views use functions and virtual tables that SQLite does not call harmless; triggers that keep an
  // FTS index need it. Only for files whose schema nobody else can have written (sqlite.org/src/doc/latest/doc/trusted-schema.md).
  bool trusted_schema = false;
  // Pages of the write-ahead log after which the writer checkpoints; at SQLite's page size of 4 KiB, 4 MB.
  std::uint32_t checkpoint_pages = 1000;
  // Of each connection.
  std::uint32_t statement_cache_entries = 256;
  std::uint64_t statement_cache_bytes_max = 2 * 1024 * 1024;
  // For how long the answer to a request with an idempotency key is kept: a day.
  std::uint64_t idempotency_keep_ms = 24ull * 60 * 60 * 1000;
};

}  // namespace skua
