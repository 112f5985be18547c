// OfflineDatabase: a database file opened with SQLite itself, past any daemon. What fails throws a Failure. One
// thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <string>

namespace skua::test {

class OfflineDatabase {
 public:
  explicit OfflineDatabase(const std::string& file, const char* vfs = nullptr);
  OfflineDatabase(const OfflineDatabase&) = delete;
  OfflineDatabase& operator=(const OfflineDatabase&) = delete;
  ~OfflineDatabase();

  void run(const std::string& sql);
  // The first column of the first row.
  std::int64_t number(const std::string& sql);
  std::string text(const std::string& sql);
  // Calls on_row for each row. A column is read with sqlite3_column_int64 and its like.
  void each_row(const std::string& sql, const std::function<void(sqlite3_stmt*)>& on_row);

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace skua::test
