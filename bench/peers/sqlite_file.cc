#include "bench/peers/sqlite_file.h"

#include <sqlite3.h>

namespace skua::bench {

namespace {

// Other processes write the same file when there are several clients.
constexpr int kBusyTimeoutMs = 60'000;

}  // namespace

void SqliteFile::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void SqliteFile::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<SqliteFile> SqliteFile::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open(path.c_str(), &database);
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

Result<SqliteFile::Statement> SqliteFile::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int length = static_cast<int>(sql.size());
  if (sqlite3_prepare_v3(database_.get(), sql.c_str(), length, SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return error();
  }
  return Statement(statement);
}

Error SqliteFile::error() const {
  Error error = make_error(ErrorCode::kSql, sqlite3_errmsg(database_.get()));
  error.sqlite_code = sqlite3_extended_errcode(database_.get());
  return error;
}

}  // namespace skua::bench
