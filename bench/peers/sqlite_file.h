// SqliteFile: a database in this process, without a server: what the in-process peers use. Statement: one
// prepared statement of it. One thread; a connection must be opened in the process that uses it
// (sqlite.org/howtocorrupt.html).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace skua::bench {

class SqliteFile {
 public:
  // In WAL mode, with synchronous=FULL, as the daemon has it.
  static Result<SqliteFile> open(const std::string& path);

  Status execute(const std::string& sql);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  Result<Statement> prepare(const std::string& sql);
  // The last error on this connection.
  Error error() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteFile(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace skua::bench
