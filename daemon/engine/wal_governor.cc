#include "daemon/engine/wal_governor.h"

#include <spdlog/spdlog.h>

namespace skua {

void WalGovernor::after_job(Connection& writer) {
  if (writer.in_transaction()) return;
  const int pages = writer.wal_pages();
  if (pages < pages_left_behind_) pages_left_behind_ = 0;  // the log started anew
  if (pages - pages_left_behind_ < static_cast<int>(checkpoint_pages_)) return;
  int log_frames = 0;
  int checkpointed_frames = 0;
  const int code = sqlite3_wal_checkpoint_v2(writer.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log_frames,
                                             &checkpointed_frames);
  if (code != SQLITE_OK) {
    spdlog::warn("checkpoint failed: {}", sqlite3_errmsg(writer.handle()));
    pages_left_behind_ = pages;
    return;
  }
  // OK is not success: a reader that still needs old pages stops a passive checkpoint half way.
  pages_left_behind_ = log_frames - checkpointed_frames > 0 ? pages : 0;
  if (pages_left_behind_ == 0) writer.forget_wal_pages();
  spdlog::debug("checkpointed {} of {} frames", checkpointed_frames, log_frames);
}

}  // namespace skua
