// WalGovernor: keeps the write-ahead log short. All checkpoints of the daemon happen here, on the writer connection,
// between transactions: SQLite before 3.51.3 has a race between a checkpoint and a commit on different connections
// (sqlite.org/wal.html). Writer thread.
#pragma once

#include <cstdint>

#include "daemon/engine/connection.h"

namespace skua {

class WalGovernor {
 public:
  explicit WalGovernor(std::uint32_t checkpoint_pages) : checkpoint_pages_(checkpoint_pages) {}

  // After every job of the writer. Checkpoints if the log has grown by enough pages since the last time.
  void after_job(Connection& writer);

 private:
  const std::uint32_t checkpoint_pages_;
  // The log's pages that a reader kept from being checkpointed; trying again before it grew would be in vain.
  int pages_left_behind_ = 0;
};

}  // namespace skua
