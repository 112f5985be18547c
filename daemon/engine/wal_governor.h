// WalGovernor: brings the write-ahead log into the database's file. All checkpoints of the daemon happen here, on the
// writer connection, between transactions: SQLite before 3.51.3 has a race between a checkpoint and a commit on different
// connections (sqlite.org/wal.html). When the log has to be emptied although it is read is decided in core/wal_budget.h.
// Writer thread.
#pragma once

#include <cstdint>
#include <optional>

#include "daemon/core/executor.h"
#include "daemon/engine/connection.h"
#include "protocol/result.h"

namespace skua {

class WalGovernor {
 public:
  explicit WalGovernor(std::uint32_t checkpoint_pages) : checkpoint_pages_(checkpoint_pages) {}

  // Whether the log has grown by enough pages since the last checkpoint.
  bool is_due(const Connection& writer) const;
  // After every job of the writer. Checkpoints if it is due.
  Status after_job(Connection& writer);
  // Checkpoints all of the log, and sees to it that the next commit starts it anew. False if a reader still needs it; then
  // as much as possible was done. Between transactions.
  Result<bool> empty(Connection& writer);

  struct Progress {
    std::uint32_t frames = 0;          // in the log, committed
    std::uint32_t frames_in_file = 0;  // so many of them, from the first on, are in the database's file
  };
  // Brings as much into the file as the readers allow. Between transactions.
  Result<Progress> checkpoint_now(Connection& writer);

  WalReport report(const Connection& writer) const;

 private:
  struct Outcome {
    std::optional<Progress> progress;  // none if the log could not be looked at
    // False if frames are left that a reader keeps from being checkpointed, or that keep a reader.
    bool complete = false;
  };
  Result<Outcome> checkpoint(Connection& writer, int mode);

  const std::uint32_t checkpoint_pages_;
  // The log's pages at the last checkpoint; trying again before it grew would be in vain.
  int pages_tried_ = 0;
  std::uint64_t checkpoints_ = 0;
  std::uint64_t checkpoints_blocked_ = 0;
};

}  // namespace skua
