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
  enum class Sharing {
    kWithOthers,  // any number of connections, in any process
    kWithNobody,  // by the "unix-excl" VFS, as the daemon has it: no lock and no shared memory to ask
  };
  // In WAL mode, with synchronous=FULL, as the daemon has it. A connection that finds the file locked by
  // another one polls for up to 5 s before it gives up with SQLITE_BUSY.
  static Result<SqliteFile> open(const std::string& path, Sharing sharing = Sharing::kWithOthers);

  // Any number of statements.
  Status execute(const std::string& sql);
  // The first column of the first row.
  Result<std::int64_t> integer(const std::string& sql);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  Result<Statement> prepare(const std::string& sql);
  // Runs a prepared statement to its end, so that it can be run again. Rows are dropped.
  Status run(sqlite3_stmt* statement);
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
