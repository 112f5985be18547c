#include "daemon/engine/inline_lane.h"

#include <spdlog/spdlog.h>

#include "daemon/engine/job_runner.h"

namespace skua {

namespace {

// In units of kInlineTickInstructions. One read's part, and that of all reads of a turn.
constexpr std::uint32_t kReadTicksMax = 8;
constexpr std::uint32_t kTurnTicksMax = 100;

}  // namespace

Result<std::unique_ptr<InlineLane>> InlineLane::open(Database& database) {
  SKUA_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(database.options(), ConnectionRole::kReader));
  SKUA_TRY(connection->make_inline());
  return std::unique_ptr<InlineLane>(new InlineLane(database, std::move(connection)));
}

bool InlineLane::take_snapshot() {
  if (holds_snapshot()) return true;
  mark_ = database_.write_watch().mark();
  // SQLite takes the snapshot when it reads for the first time.
  return connection_->run_internal("BEGIN").has_value();
}

InlineRead InlineLane::run(Job& job) {
  if (ticks_in_turn_ >= kTurnTicksMax || !take_snapshot()) return InlineRead::kRefused;
  bool overran = false;
  {
    const Connection::Budget budget(*connection_, kReadTicksMax);
    JobRunner(*connection_, job, 0).run();
    ticks_in_turn_ += budget.used();
    overran = budget.is_over();
  }
  job.transaction_open = false;
  if (job.error == nullptr && !job.cursor_open && !job.needs_writer) return InlineRead::kDone;
  // Whatever it was, a lane does the same again and says what there is to say. Its error has ended the snapshot.
  if (job.cursor_open) connection_->close_cursor(job.request->serial);
  const bool writes = job.needs_writer;
  job.forget_outcome();
  // It may have been stopped while SQLite read the schema, which then is to be read by all who come after it.
  if (overran) connection_->read_schema();
  return writes ? InlineRead::kRefused : InlineRead::kOverrun;
}

void InlineLane::on_turn_end() {
  ticks_in_turn_ = 0;
  if (holds_snapshot() && !database_.write_watch().is_unchanged_since(mark_)) let_go();
}

void InlineLane::let_go() {
  if (!holds_snapshot()) return;
  if (const Status status = connection_->run_internal("COMMIT"); !status) connection_->rollback();
}

}  // namespace skua
