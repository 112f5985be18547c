// BackupCopy: a consistent copy of a database in the making, in a file without a name beside it.
//
// The database's file is copied from its first page to its last, a slice at a time. What is committed meanwhile
// is copied from the log at once, commit by commit, and those pages are passed over in the file. So the copy is
// the database as of the last commit at the moment when the last page is copied, no page is copied twice for
// being old, and what is rolled back never counts. SQLite's own backup starts from the first page again after
// each rollback of a transaction in WAL mode (pagerUndoCallback() in pager.c), which is as often as some
// client's statement fails. Between slices nothing is held: no snapshot, no lock, no checkpoint. Whoever uses
// the writer connection, which does all that the file and the log are written with.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/connection.h"
#include "daemon/engine/log_reader.h"
#include "daemon/engine/unlinked_file.h"
#include "daemon/engine/wal_governor.h"
#include "protocol/result.h"

namespace skua {

// How long a slice takes, about. Writes wait for it.
inline constexpr std::chrono::microseconds kBackupSliceTime{5'000};

class BackupCopy {
 public:
  // Outside of transactions. Checkpoints what it can. The writer must outlive it; one at a time.
  static Result<std::unique_ptr<BackupCopy>> start(Connection& writer, WalGovernor& governor,
                                                   const std::string& database_file);
  ~BackupCopy();
  BackupCopy(const BackupCopy&) = delete;
  BackupCopy& operator=(const BackupCopy&) = delete;

  // Copies for that long, at least some pages. True: all is copied. Outside of transactions.
  Result<bool> step(std::chrono::microseconds time);
  // As of the last step.
  std::uint64_t pages_done() const { return std::min(next_page_ - 1, page_count_); }
  std::uint64_t pages_total() const { return page_count_; }
  // The copy. Once, after step() said true.
  std::shared_ptr<BackupFile> take_file();

 private:
  BackupCopy(Connection& writer, std::shared_ptr<UnlinkedFile> file);
  Status begin(WalGovernor& governor);

  // After a commit, when the log has so many frames. Never a reason for the commit to fail: the next step says
  // it.
  void on_commit(std::uint32_t log_frames);
  Status take_commit(std::uint32_t log_frames);
  Status copy_some();
  // Frames that were in the log when the copy was begun and not in the file, the newest first.
  Status take_backlog();
  Status copy_from_file();

  Result<LogReader::Frame> read_frame(std::uint32_t number);
  Status write_page(std::uint32_t page);
  bool is_taken(std::uint32_t page) const { return page < taken_.size() && taken_[page]; }

  Connection& writer_;
  const LogReader log_;
  const std::shared_ptr<UnlinkedFile> file_;
  const std::uint32_t page_bytes_;
  std::vector<char> buffer_;
  std::uint32_t page_count_ = 0;
  // The next page of the file. Until all of it is copied, pages before it are as of the last commit, and so are
  // those taken.
  std::uint32_t next_page_ = 1;
  // By page number: it was copied from the log, and what the file has may be older.
  std::vector<bool> taken_;
  std::uint64_t log_salts_ = 0;
  std::uint32_t log_frames_ = 0;  // of this log, known to be in the copy or in the backlog
  std::uint32_t backlog_end_ = 0;
  std::uint32_t backlog_begin_ = 0;  // frames behind this one, up to and with backlog_end_
  std::optional<Error> failure_;
};

}  // namespace skua
