#include "daemon/engine/statement.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "daemon/engine/sqlite_error.h"
#include "protocol/limits.h"
#include "protocol/sql_lexer.h"

namespace skua {

namespace {

Status check_nothing_follows(std::string_view sql, std::size_t tail_offset) {
  SqlLexer lexer(sql.substr(tail_offset));
  SqlToken token = lexer.next();
  while (token.kind == SqlToken::Kind::kSemicolon) token = lexer.next();
  if (token.kind == SqlToken::Kind::kEnd) return {};
  Error error = make_error(ErrorCode::kSql, fmt::format("one execute is one statement, and more follows it: near "
                                                        "\"{}\"; send each statement by itself",
                                                        token.text.substr(0, 40)));
  error.sql_offset = static_cast<std::int32_t>(tail_offset + token.offset);
  return error;
}

bool is_verb(const SqlToken& token) {
  static constexpr std::array<std::string_view, 6> kVerbs = {"SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"};
  return std::any_of(kVerbs.begin(), kVerbs.end(), [&](std::string_view verb) { return token.is_word(verb); });
}

// The verb of WITH ... INSERT stands outside of parentheses.
bool begins_insert(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken token = lexer.next();
  while (token.kind == SqlToken::Kind::kSemicolon) token = lexer.next();
  if (token.is_word("WITH")) {
    int depth = 0;
    do {
      token = lexer.next();
      if (token.kind == SqlToken::Kind::kOpen) ++depth;
      if (token.kind == SqlToken::Kind::kClose) --depth;
    } while (token.kind != SqlToken::Kind::kEnd && (depth > 0 || !is_verb(token)));
  }
  return token.is_word("INSERT") || token.is_word("REPLACE");
}

}  // namespace

Result<Statement> Statement::prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &stmt,
                                      &tail);
  if (code != SQLITE_OK) return sqlite_error(db, code);
  Statement statement(stmt, begins_insert(sql));
  if (stmt == nullptr) return make_error(ErrorCode::kSql, "there is no statement in the SQL text");
  SKUA_TRY(check_nothing_follows(sql, static_cast<std::size_t>(tail - sql.data())));
  return statement;
}

std::string_view Statement::parameter_name(int index) const {
  const char* name = sqlite3_bind_parameter_name(stmt_.get(), index);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

int Statement::parameter_index(std::string_view name) const {
  if (name.empty()) return 0;
  const bool has_prefix = name.front() == ':' || name.front() == '@' || name.front() == '$' || name.front() == '?';
  if (has_prefix) return sqlite3_bind_parameter_index(stmt_.get(), std::string(name).c_str());
  for (const char prefix : {':', '@', '$'}) {
    const int index = sqlite3_bind_parameter_index(stmt_.get(), (prefix + std::string(name)).c_str());
    if (index != 0) return index;
  }
  return 0;
}

Status Statement::bind(int index, const ValueView& value) {
  int code = SQLITE_OK;
  const std::string_view bytes = value.kind() >= ValueKind::kText ? value.bytes() : std::string_view();
  if (bytes.size() > kValueBytesMax) {
    return make_error(ErrorCode::kLimit, fmt::format("parameter {} has {} bytes, the most is {} (value_bytes_max)",
                                                     index, bytes.size(), kValueBytesMax));
  }
  switch (value.kind()) {
    case ValueKind::kNull: code = sqlite3_bind_null(stmt_.get(), index); break;
    case ValueKind::kInteger: code = sqlite3_bind_int64(stmt_.get(), index, value.integer()); break;
    case ValueKind::kReal: code = sqlite3_bind_double(stmt_.get(), index, value.real()); break;
    case ValueKind::kText:
      // A null pointer would bind NULL: an empty text must point at something.
      code = sqlite3_bind_text64(stmt_.get(), index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
      break;
    case ValueKind::kBlob:
      code = sqlite3_bind_blob64(stmt_.get(), index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
      break;
  }
  if (code == SQLITE_OK) return {};
  return sqlite_error(sqlite3_db_handle(stmt_.get()), code);
}

Result<bool> Statement::step() {
  const int code = step_code();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error(code);
}

Error Statement::error(int code) const { return sqlite_error(sqlite3_db_handle(stmt_.get()), code); }

void Statement::reset_bindings() {
  sqlite3_reset(stmt_.get());
  sqlite3_clear_bindings(stmt_.get());
}

std::vector<ColumnInfo> Statement::columns() const {
  std::vector<ColumnInfo> columns;
  const int count = column_count();
  columns.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const char* name = sqlite3_column_name(stmt_.get(), i);
    const char* type = sqlite3_column_decltype(stmt_.get(), i);
    columns.push_back({name != nullptr ? name : "", type != nullptr ? type : ""});
  }
  return columns;
}

std::uint64_t Statement::columns_id() {
  // SQLite prepares a statement anew when the schema has changed, and only then its columns may be others.
  const int reprepares = sqlite3_stmt_status(stmt_.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
  if (columns_id_ != 0 && columns_id_reprepares_ == reprepares) return columns_id_;
  std::string all;
  for (const ColumnInfo& column : columns()) {
    // Each name with its length before it, so that no other names give the same text.
    for (const std::string& text : {column.name, column.declared_type}) fmt::format_to(std::back_inserter(all), "{}:{}", text.size(), text);
  }
  columns_id_ = std::max<std::uint64_t>(XXH3_64bits(all.data(), all.size()), 1);
  columns_id_reprepares_ = reprepares;
  return columns_id_;
}

ValueView Statement::column(int index) const {
  sqlite3_stmt* stmt = stmt_.get();
  const auto bytes = [&](const void* data) {
    return std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(stmt, index)));
  };
  switch (sqlite3_column_type(stmt, index)) {
    case SQLITE_INTEGER: return ValueView::integer(sqlite3_column_int64(stmt, index));
    case SQLITE_FLOAT: return ValueView::real(sqlite3_column_double(stmt, index));
    case SQLITE_TEXT: return ValueView::text(bytes(sqlite3_column_text(stmt, index)));
    case SQLITE_BLOB: return ValueView::blob(bytes(sqlite3_column_blob(stmt, index)));
    default: return ValueView::null();
  }
}

}  // namespace skua
