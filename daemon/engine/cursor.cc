#include "daemon/engine/cursor.h"

#include <fmt/format.h>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/short_frames.h"

namespace skua {

namespace {

// Less than what stops a read on the loop thread, so that one that is let in comes to its end.
constexpr int kShortInstructionsMax = 1'000;
// Of a first batch that a lane made, which is eight times as large as the loop thread's.
constexpr int kShortStartInstructionsMax = 4'000;

Error row_too_large() {
  return make_error(ErrorCode::kLimit, fmt::format("a row is larger than {} bytes (row_bytes_max): select fewer or "
                                                   "shorter values at once",
                                                   kRowBytesMax));
}

}  // namespace

Status append_row(const Statement& statement, int column_count, RowBatchBuilder& batch) {
  const std::size_t before = batch.byte_count();
  for (int i = 0; i < column_count; ++i) {
    sqlite3_value* value = statement.value(i);
    switch (sqlite3_value_type(value)) {
      case SQLITE_INTEGER: batch.append_integer(sqlite3_value_int64(value)); break;
      case SQLITE_FLOAT: batch.append_real(sqlite3_value_double(value)); break;
      case SQLITE_NULL: batch.append_null(); break;
      case SQLITE_TEXT: {
        // Before the bytes are counted: it may have to be made UTF-8 of.
        const unsigned char* text = sqlite3_value_text(value);
        const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
        if (text == nullptr) return make_error(ErrorCode::kUnavailable, "out of memory while a value was read");
        if (batch.byte_count() - before + size > kRowBytesMax) return row_too_large();
        batch.append_text({reinterpret_cast<const char*>(text), size});
        break;
      }
      case SQLITE_BLOB: {
        const void* blob = sqlite3_value_blob(value);
        const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
        if (blob == nullptr && size > 0) {
          return make_error(ErrorCode::kUnavailable, "out of memory while a value was read");
        }
        if (batch.byte_count() - before + size > kRowBytesMax) return row_too_large();
        batch.append_blob({static_cast<const char*>(blob), size});
        break;
      }
    }
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
  bool last = false;
  while (batch_.byte_count() < batch_bytes && batch_.row_count() < kBatchRowsMax) {
    const int code = statement_->step_code();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return statement_->error(code);
    if (!started_) start();
    if (code == SQLITE_DONE) {
      last = true;
      break;
    }
    SKUA_TRY(append_row(*statement_, column_count_, batch_));
  }
  row_count_ += batch_.row_count();
  Frame frame = make_frame(last, in_transaction);
  made_bytes_ += frame.byte_count();
  batch_.clear();
  more = !last;
  return frame;
}

void Cursor::start() {
  started_ = true;
  column_count_ = statement_->column_count();
  batch_.reset(static_cast<std::size_t>(column_count_));
  // The first step of RETURNING inserts all rows; by the last one other statements may have inserted more.
  last_insert_rowid_ = sqlite3_last_insert_rowid(statement_->database());
}

bool Cursor::was_short() {
  const int instructions = statement_->take_instructions();
  return !statement_->may_stall() && instructions <= kShortInstructionsMax;
}

bool Cursor::started_shortly() {
  const int instructions = statement_->take_instructions();
  return !statement_->may_stall() && instructions <= kShortStartInstructionsMax;
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
  if (!sends_columns) {
    columns_sent_ = true;
    return rows_response(request_->id, columns_id, batch_, last ? &summary : nullptr, frames_);
  }
  const std::vector<ColumnInfo> columns = statement_->columns();
  std::size_t column_words = 0;
  for (const ColumnInfo& column : columns) column_words += 4 + (column.name.size() + column.declared_type.size()) / 8;
  FrameBuilder frame(batch_.words_max() + column_words + 32, frames_);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request_->id);
  auto rows = response.initRows();
  rows.setColumnsId(columns_id);
  write_columns(columns, rows.initColumns(static_cast<kj::uint>(columns.size())));
  columns_sent_ = true;
  batch_.write(rows.initBatch());
  if (last) write_summary(summary, rows.initDone());
  return frame.finish();
}

}  // namespace skua
