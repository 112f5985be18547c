#include "daemon/engine/row_runner.h"

namespace skua {

Status RowRunner::run(std::size_t row, Summary& summary) {
  const std::int64_t total_changes_before = sqlite3_total_changes64(connection_.handle());
  if (Status status = execute(row); !status) {
    statement_->reset();
    Error error = std::move(status).error();
    error.row = static_cast<std::int64_t>(row);
    return error;
  }
  const Summary of_row = summary_of(*statement_, total_changes_before, TransactionState::kNone);
  summary.changes += of_row.changes;
  if (of_row.last_insert_rowid != 0) summary.last_insert_rowid = of_row.last_insert_rowid;
  statement_->reset();
  return {};
}

Status RowRunner::execute(std::size_t row) {
  for (std::size_t column = 0; column < parameters_.size(); ++column) {
    SKUA_TRY(statement_->bind(parameters_[column], rows_.at(row, column)));
  }
  SKUA_ASSIGN(const bool has_row, statement_->step());
  if (!has_row) return {};
  return make_error(ErrorCode::kSql,
                    "the statement returns rows, and executeMany has no place for them: leave RETURNING "
                    "out, or execute it row by row");
}

}  // namespace skua
