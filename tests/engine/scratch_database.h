// ScratchDatabase: a real database in a folder of its own, opened as the daemon opens it, and short ways to ask it.
//
// The folder goes with it. Everything here throws Failure if it is not as the test needs it. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/engine/database.h"
#include "protocol/limits.h"
#include "tests/support/temporary_directory.h"

namespace skua::test {

using Row = std::vector<Value>;

class ScratchDatabase {
 public:
  static constexpr std::uint32_t kReaderSlots = 8;

  // The options' name and file are filled in.
  explicit ScratchDatabase(DatabaseOptions options = {});

  const std::string& file() const { return options_.file; }
  const DatabaseOptions& options() const { return options_; }
  Database& database() { return *database_; }
  Connection& writer() { return database_->writer(); }
  Connection& reader(std::uint32_t slot = 0);

  // Runs the statements on the writer, each by itself.
  void run(const std::vector<std::string>& statements);
  // An orderly close, and the same file anew.
  void reopen();
  void close() { database_.reset(); }

 private:
  TemporaryDirectory folder_;
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
};

// All rows of a statement without parameters.
std::vector<Row> rows_of(Connection& connection, std::string_view sql);
// The same as text: values joined by `|`, rows by line feeds; NULL, reals with a point, blobs as x'..'.
std::string text_of(Connection& connection, std::string_view sql);
std::string to_text(const Value& value);
std::string to_text(const std::vector<Row>& rows);

// The error of a statement that must fail, when it is prepared or when it is run.
Error error_of(Connection& connection, std::string_view sql);

}  // namespace skua::test
