#include "daemon/engine/backup_copy.h"

#include <fmt/format.h>

#include "daemon/engine/sqlite_error.h"

namespace skua {

namespace {

// Pages between two looks at the clock.
constexpr int kPagesAtOnce = 32;
// The copy's pages are written behind each other and not looked at again, unless a commit changes them.
constexpr int kTargetCacheKib = 1024;

}  // namespace

Error BackupCopy::failed(int code, const char* doing) const {
  Error error = sqlite_error(target_.get(), code);
  if (error.code == ErrorCode::kDiskFull) {
    error.message = fmt::format("the disk is full: a backup needs room for a copy of {} pages beside the database until it "
                                "is fetched",
                                pages_total_);
    return error;
  }
  error.message = fmt::format("cannot {}: {}", doing, error.message);
  return error;
}

Result<std::unique_ptr<BackupCopy>> BackupCopy::start(Connection& writer, const std::string& database_file) {
  std::unique_ptr<BackupCopy> copy(new BackupCopy);
  SKUA_ASSIGN(copy->file_, UnlinkedFile::create(database_file));
  sqlite3* target = nullptr;
  // No locks: closing any descriptor of a file drops this process's locks on it, and nobody else can open this one.
  const int opened = sqlite3_open_v2(copy->file_->path().c_str(), &target,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, "unix-none");
  copy->target_.reset(target);
  copy->file_->unlink();
  if (opened != SQLITE_OK) return copy->failed(opened, "open a file for the backup");
  const std::string pragmas =
      fmt::format("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{}", kTargetCacheKib);
  const int configured = sqlite3_exec(target, pragmas.c_str(), nullptr, nullptr, nullptr);
  if (configured != SQLITE_OK) return copy->failed(configured, "open a file for the backup");
  copy->backup_.reset(sqlite3_backup_init(target, "main", writer.handle(), "main"));
  if (copy->backup_ == nullptr) return copy->failed(sqlite3_errcode(target), "begin the backup");
  return copy;
}

Result<bool> BackupCopy::step(std::chrono::microseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(backup_.get(), kPagesAtOnce);
    if (std::chrono::steady_clock::now() >= until) break;
  }
  pages_total_ = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup_.get()));
  pages_done_ = pages_total_ - static_cast<std::uint64_t>(sqlite3_backup_remaining(backup_.get()));
  if (code == SQLITE_DONE) return true;
  // Not now: the next slice tries again.
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) return false;
  return failed(code, "copy the database");
}

Result<std::shared_ptr<BackupFile>> BackupCopy::take_file() {
  const int code = sqlite3_backup_finish(backup_.release());
  if (code != SQLITE_OK) return failed(code, "copy the database");
  target_.reset();
  return std::shared_ptr<BackupFile>(std::move(file_));
}

}  // namespace skua
