#include "daemon/engine/cursor.h"

#include <fmt/format.h>

#include "protocol/codec.h"
#include "protocol/limits.h"

namespace skua {

namespace {

// Less than what stops a read on the loop thread, so that one that is let in comes to its end.
constexpr int kShortInstructionsMax = 1'000;

}  // namespace

Status append_row(const Statement& statement, int column_count, RowBatchBuilder& batch) {
  const std::size_t before = batch.byte_count();
  for (int i = 0; i < column_count; ++i) {
    const ValueView value = statement.column(i);
    if (value.kind() == ValueKind::kText && value.bytes().data() == nullptr) {
      return make_error(ErrorCode::kUnavailable, "out of memory while a value was read");
    }
    if (batch.byte_count() - before + (value.kind() >= ValueKind::kText ? value.bytes().size() : 8) > kRowBytesMax) {
      return make_error(ErrorCode::kLimit, fmt::format("a row is larger than {} bytes (row_bytes_max): select fewer or "
                                                       "shorter values at once",
                                                       kRowBytesMax));
    }
    batch.append(value);
  }
  batch.end_row();
  return {};
}

Summary summary_of(const Statement& statement, std::int64_t total_changes_before, TransactionState transaction) {
  Summary summary;
  summary.transaction = transaction;
  sqlite3* db = statement.database();
  if (statement.is_read_only() || sqlite3_total_changes64(db) == total_changes_before) return summary;
  summary.changes = static_cast<std::uint64_t>(sqlite3_changes64(db));
  if (statement.is_insert()) summary.last_insert_rowid = sqlite3_last_insert_rowid(db);
  return summary;
}

Result<Frame> Cursor::next_frame(std::size_t batch_bytes, bool in_transaction, bool& more) {
  more = true;
  bool last = false;
  while (batch_.byte_count() < batch_bytes && batch_.row_count() < kBatchRowsMax) {
    SKUA_ASSIGN(const bool has_row, statement_->step());
    if (!started_) {
      started_ = true;
      column_count_ = statement_->column_count();
      batch_.reset(static_cast<std::size_t>(column_count_));
      // The first step of RETURNING inserts all rows; by the last one other statements may have inserted more.
      last_insert_rowid_ = sqlite3_last_insert_rowid(statement_->database());
    }
    if (!has_row) {
      last = true;
      break;
    }
    SKUA_TRY(append_row(*statement_, column_count_, batch_));
  }
  row_count_ += batch_.row_count();
  Frame frame = make_frame(last, in_transaction);
  batch_.clear();
  more = !last;
  return frame;
}

bool Cursor::was_short() {
  const int instructions = statement_->take_instructions();
  return !statement_->may_stall() && instructions <= kShortInstructionsMax;
}

Frame Cursor::make_frame(bool last, bool in_transaction) {
  Summary summary;
  if (last) {
    summary = summary_of(*statement_, total_changes_before_,
                         in_transaction ? TransactionState::kOpen : TransactionState::kNone);
    if (summary.last_insert_rowid != 0) summary.last_insert_rowid = last_insert_rowid_;
    summary.row_count = row_count_;
    ended_us_ = monotonic_us();
    summary.server_us = ended_us_ - request_->arrival_us;
    if (column_count_ == 0) return done_response(request_->id, summary);
  }
  const std::uint64_t columns_id = columns_sent_ ? 0 : statement_->columns_id();
  const bool sends_columns = !columns_sent_ && columns_id != request_->known_columns;
  const std::vector<ColumnInfo> columns = sends_columns ? statement_->columns() : std::vector<ColumnInfo>();
  std::size_t column_words = 0;
  for (const ColumnInfo& column : columns) column_words += 4 + (column.name.size() + column.declared_type.size()) / 8;
  FrameBuilder frame(batch_.words_max() + column_words + 32);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request_->id);
  auto rows = response.initRows();
  if (!columns_sent_) rows.setColumnsId(columns_id);
  if (sends_columns) write_columns(columns, rows.initColumns(static_cast<kj::uint>(columns.size())));
  columns_sent_ = true;
  batch_.write(rows.initBatch());
  if (last) write_summary(summary, rows.initDone());
  return frame.finish();
}

}  // namespace skua
