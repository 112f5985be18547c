// Database: one SQLite file and the daemon's connections to it.
//
// The writer is opened at start-up and finds out whether the file is usable; readers are opened when first needed, each
// in its slot. Which thread may use a connection is decided by core/, one at a time.
#pragma once

#include <memory>
#include <vector>

#include "daemon/engine/backup_copy.h"
#include "daemon/engine/commit_gate.h"
#include "daemon/engine/connection.h"
#include "daemon/engine/database_options.h"
#include "daemon/engine/wal_governor.h"
#include "daemon/engine/wal_space.h"
#include "daemon/engine/write_watch.h"
#include "protocol/frame_pool.h"
#include "protocol/limits.h"

namespace skua {

class Database {
 public:
  // The errors are for the operator: they name the file, what is wrong with it, and who has it if somebody does.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options, std::uint32_t reader_slots_max);
  // Readers first, so that the writer is the last and takes the log with it.
  ~Database();

  const DatabaseOptions& options() const { return options_; }
  Connection& writer() { return *writer_; }
  WalGovernor& governor() { return governor_; }
  // The copy that is being made; null if none is.
  std::unique_ptr<BackupCopy>& backup_copy() { return backup_copy_; }
  WalSpace& wal_space() { return wal_space_; }
  WriteWatch& write_watch() { return write_watch_; }
  CommitGate& commit_gate() { return commit_gate_; }
  Result<Connection*> reader(std::uint32_t slot);
  // Null if nobody has opened it yet.
  Connection* open_reader(std::uint32_t slot) { return readers_[slot].get(); }
  // The slot's next user gets a new connection.
  void close_reader(std::uint32_t slot) { readers_[slot].reset(); }

 private:
  Database(DatabaseOptions options, std::uint32_t reader_slots_max)
      : options_(std::move(options)), governor_(options_.checkpoint_pages), wal_space_(options_.file), readers_(reader_slots_max) {}

  DatabaseOptions options_;
  WalGovernor governor_;
  WalSpace wal_space_;
  WriteWatch write_watch_;
  CommitGate commit_gate_;
  // Of all its readers.
  const std::shared_ptr<FramePool> frames_ =
      std::make_shared<FramePool>(kBatchFrameBytes / kWordBytes, kDatabaseFramesKept);
  std::unique_ptr<Connection> writer_;
  std::unique_ptr<BackupCopy> backup_copy_;
  std::vector<std::unique_ptr<Connection>> readers_;
};

}  // namespace skua
