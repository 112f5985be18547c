#include "daemon/engine/wal_governor.h"

#include <spdlog/spdlog.h>

#include "daemon/engine/sqlite_error.h"
#include "daemon/engine/wal_format.h"

namespace skua {

WalReport WalGovernor::report(const Connection& writer) const {
  WalReport report;
  const auto pages = static_cast<std::uint64_t>(writer.wal_pages());
  report.bytes = pages == 0 ? 0 : kLogHeaderBytes + pages * (kFrameHeaderBytes + writer.page_bytes());
  report.checkpoints = checkpoints_;
  report.checkpoints_blocked = checkpoints_blocked_;
  return report;
}

Result<WalGovernor::Outcome> WalGovernor::checkpoint(Connection& writer, int mode) {
  int log_frames = -1;
  int checkpointed_frames = -1;
  ++checkpoints_;
  pages_tried_ = writer.wal_pages();
  const int code = sqlite3_wal_checkpoint_v2(writer.handle(), nullptr, mode, &log_frames, &checkpointed_frames);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
    spdlog::warn("checkpoint failed: {}", sqlite3_errmsg(writer.handle()));
    return sqlite_error(writer.handle(), code);
  }
  spdlog::debug("checkpointed {} of {} frames", checkpointed_frames, log_frames);
  // OK is not success: a reader that still needs old pages stops a passive checkpoint half way.
  const bool complete = code == SQLITE_OK && checkpointed_frames == log_frames;
  checkpoints_blocked_ += complete ? 0 : 1;
  Outcome outcome;
  outcome.complete = complete;
  if (log_frames >= 0) {
    outcome.progress =
        Progress{static_cast<std::uint32_t>(log_frames), static_cast<std::uint32_t>(checkpointed_frames)};
  }
  return outcome;
}

Result<WalGovernor::Progress> WalGovernor::checkpoint_now(Connection& writer) {
  SKUA_ASSIGN(const Outcome outcome, checkpoint(writer, SQLITE_CHECKPOINT_PASSIVE));
  if (!outcome.progress)
    return make_error(ErrorCode::kUnavailable, "somebody else checkpoints the write-ahead log");
  return *outcome.progress;
}

bool WalGovernor::is_due(const Connection& writer) const {
  const int pages = writer.wal_pages();
  const int pages_tried = pages < pages_tried_ ? 0 : pages_tried_;  // the log started anew
  return pages - pages_tried >= static_cast<int>(checkpoint_pages_);
}

Status WalGovernor::after_job(Connection& writer) {
  if (writer.in_transaction()) return {};
  if (writer.wal_pages() < pages_tried_) pages_tried_ = 0;
  if (!is_due(writer)) return {};
  SKUA_TRY(checkpoint(writer, SQLITE_CHECKPOINT_PASSIVE));
  return {};
}

Result<bool> WalGovernor::empty(Connection& writer) {
  // A restarted log keeps its file, which spares the next writes from making it longer, up to the size that SQLite would
  // cut it back to anyway.
  const bool cut = report(writer).bytes > kJournalSizeLimitBytes;
  SKUA_ASSIGN(const Outcome outcome, checkpoint(writer, cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART));
  if (!outcome.complete) return false;
  writer.forget_wal_pages();
  pages_tried_ = 0;
  return true;
}

}  // namespace skua
