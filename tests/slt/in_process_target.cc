#include "tests/slt/in_process_target.h"

#include <sqlite3.h>

namespace skua::slt {

namespace {

char type_at(std::string_view types, int column) {
  const auto index = static_cast<std::size_t>(column);
  return index < types.size() ? types[index] : 'T';
}

ValueView view_of_column(sqlite3_stmt* statement, int column) {
  // The pointer is asked for before the length, as SQLite wants.
  const auto bytes = [&] {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
    return std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return ValueView::integer(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return ValueView::real(sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return ValueView::text(bytes());
    case SQLITE_BLOB:
      return ValueView::blob(bytes());
    default:
      return ValueView::null();
  }
}

}  // namespace

void InProcessTarget::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void InProcessTarget::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<std::unique_ptr<InProcessTarget>> InProcessTarget::open() {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open(":memory:", &database);
  std::unique_ptr<InProcessTarget> target(new InProcessTarget(database));
  if (opened != SQLITE_OK) return target->last_error();
  sqlite3_extended_result_codes(database, 1);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  return target;
}

Error InProcessTarget::last_error() const {
  Error error = make_error(ErrorCode::kSql, sqlite3_errmsg(database_.get()));
  error.sqlite_code = sqlite3_extended_errcode(database_.get());
  return error;
}

Result<InProcessTarget::StatementPointer> InProcessTarget::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int length = static_cast<int>(sql.size());
  if (sqlite3_prepare_v2(database_.get(), sql.data(), length, &statement, nullptr) != SQLITE_OK)
    return last_error();
  if (statement == nullptr) return make_error(ErrorCode::kSql, "no statement");
  return StatementPointer(statement);
}

Status InProcessTarget::execute(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return last_error();
  return {};
}

Result<Answer> InProcessTarget::query(std::string_view sql, std::string_view types) {
  SKUA_ASSIGN(const StatementPointer statement, prepare(sql));
  const int columns = sqlite3_column_count(statement.get());
  Answer answer;
  answer.column_count = static_cast<std::size_t>(columns);
  int stepped = sqlite3_step(statement.get());
  for (; stepped == SQLITE_ROW; stepped = sqlite3_step(statement.get())) {
    for (int column = 0; column < columns; ++column) {
      answer.values.push_back(text_of(type_at(types, column), view_of_column(statement.get(), column)));
    }
  }
  if (stepped != SQLITE_DONE) {
    answer.values.clear();
    answer.failed_in_step = true;
  }
  return answer;
}

}  // namespace skua::slt
