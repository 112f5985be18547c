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
  // Pages of the write-ahead log after which the writer checkpoints; at SQLite's page size of 4 KiB, 4 MB.
  std::uint32_t checkpoint_pages = 1000;
  std::uint32_t statement_cache_entries = 256;
};

}  // namespace skua
