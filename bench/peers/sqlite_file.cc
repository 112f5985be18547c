#include "bench/peers/sqlite_file.h"

#include <sqlite3.h>

namespace skua::bench {

namespace {

constexpr int kBusyTimeoutMs = 5'000;

}  // namespace

void SqliteFile::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void SqliteFile::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<SqliteFile> SqliteFile::open(const std::string& path, Sharing sharing) {
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const char* vfs = sharing == Sharing::kWithNobody ? "unix-excl" : nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &database, flags, vfs);
  SqliteFile file(database);
  if (opened != SQLITE_OK) return file.error();
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  SKUA_TRY(file.execute("PRAGMA journal_mode = WAL"));
  SKUA_TRY(file.execute("PRAGMA synchronous = FULL"));
  return file;
}

Status SqliteFile::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<std::int64_t> SqliteFile::integer(const std::string& sql) {
  SKUA_ASSIGN(const Statement statement, prepare(sql));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return error();
  return sqlite3_column_int64(statement.get(), 0);
}

Result<SqliteFile::Statement> SqliteFile::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int length = static_cast<int>(sql.size());
  if (sqlite3_prepare_v3(database_.get(), sql.c_str(), length, SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return error();
  }
  return Statement(statement);
}

Status SqliteFile::run(sqlite3_stmt* statement) {
  int stepped = sqlite3_step(statement);
  while (stepped == SQLITE_ROW) stepped = sqlite3_step(statement);
  if (stepped == SQLITE_DONE) {
    sqlite3_reset(statement);
    return {};
  }
  Error failure = error();
  sqlite3_reset(statement);
  return failure;
}

Error SqliteFile::error() const {
  Error error = make_error(ErrorCode::kSql, sqlite3_errmsg(database_.get()));
  error.sqlite_code = sqlite3_extended_errcode(database_.get());
  return error;
}

}  // namespace skua::bench
