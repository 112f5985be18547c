// BackupCopy: a consistent copy of a database in the making, in an unlinked file beside it.
//
// Copied a slice at a time with SQLite's backup API from the writer connection: what is committed between two slices on that
// very connection is brought into the copy, where a commit of any other would start it anew (sqlite.org/backup.html). The
// file has no name, so nothing is left of it whatever happens. Writer thread.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "daemon/engine/connection.h"
#include "daemon/engine/unlinked_file.h"
#include "protocol/result.h"

namespace skua {

// How long a slice takes, about. Writes wait for it.
inline constexpr std::chrono::microseconds kBackupSliceTime{5'000};

class BackupCopy {
 public:
  static Result<std::unique_ptr<BackupCopy>> start(Connection& writer, const std::string& database_file);

  // Copies for that long, at least some pages. True: all is copied. Outside of transactions.
  Result<bool> step(std::chrono::microseconds time);
  // Of the database, as of the last step.
  std::uint64_t pages_done() const { return pages_done_; }
  std::uint64_t pages_total() const { return pages_total_; }
  // The copy. Once, after step() said true.
  Result<std::shared_ptr<BackupFile>> take_file();

 private:
  BackupCopy() = default;
  Error failed(int code, const char* doing) const;

  struct CloseTarget {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  struct Finish {
    void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
  };

  std::shared_ptr<UnlinkedFile> file_;
  // The copy's connection before what uses it.
  std::unique_ptr<sqlite3, CloseTarget> target_;
  std::unique_ptr<sqlite3_backup, Finish> backup_;
  std::uint64_t pages_done_ = 0;
  std::uint64_t pages_total_ = 0;
};

}  // namespace skua
