#include "tests/crash/offline_database.h"

#include "tests/support/failure.h"

namespace skua::test {

OfflineDatabase::OfflineDatabase(const std::string& file, const char* vfs) {
  const int code = sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
  if (code == SQLITE_OK) return;
  const std::string reason = sqlite3_errmsg(db_);
  sqlite3_close(db_);
  throw Failure("cannot open " + file + ": " + reason);
}

OfflineDatabase::~OfflineDatabase() { sqlite3_close(db_); }

void OfflineDatabase::each_row(const std::string& sql, const std::function<void(sqlite3_stmt*)>& on_row) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) on_row(statement);
  }
  const std::string reason = sqlite3_errmsg(db_);
  sqlite3_finalize(statement);
  require(code == SQLITE_DONE, sql + ": " + reason);
}

void OfflineDatabase::run(const std::string& sql) {
  each_row(sql, [](sqlite3_stmt*) {});
}

std::int64_t OfflineDatabase::number(const std::string& sql) {
  std::int64_t number = 0;
  each_row(sql, [&](sqlite3_stmt* row) { number = sqlite3_column_int64(row, 0); });
  return number;
}

std::string OfflineDatabase::text(const std::string& sql) {
  std::string text;
  each_row(sql, [&](sqlite3_stmt* row) {
    if (!text.empty()) return;
    const unsigned char* bytes = sqlite3_column_text(row, 0);
    if (bytes != nullptr) text = reinterpret_cast<const char*>(bytes);
  });
  return text;
}

}  // namespace skua::test
