// Importer: puts the records of one file into one table, in one transaction.
//
// A RecordSink: the reader pushes fields, the importer sends rows. Every field is sent as a text (or NULL):
// SQLite then gives it the type of its column's affinity as it stores it, exactly as for the sqlite3 shell's
// `.import` (sqlite.org/datatype3.html, section 3.1). After the first error, which status() tells, everything
// is ignored and the destructor rolls back. Memory is bounded. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/record_reader.h"
#include "protocol/result.h"
#include "skua/connection.h"

namespace skua::cli {

// Which line of the file each row began on, for the rows whose answers may still come.
class RowLines {
 public:
  // Rows are added in order, from 0.
  void add(std::uint64_t line);
  std::uint64_t line_of(std::uint64_t row) const;

 private:
  struct Run {  // of rows on consecutive lines
    std::uint64_t first_row;
    std::uint64_t first_line;
  };
  // A bulk writer has far fewer rows under way.
  static constexpr std::size_t kRunsMax = 512 * 1024;

  std::deque<Run> runs_;
  std::uint64_t row_count_ = 0;
};

class Importer : public RecordSink {
 public:
  // The arguments must outlive it. `source` is the file's name in messages.
  Importer(Connection& connection, const ImportArguments& arguments, std::string source);

  // Before the first record: looks at the table.
  Status prepare();
  void on_field(std::string_view bytes) override;
  void on_empty_field() override;
  void on_record_end(std::uint64_t line) override;
  // After the last record: commits.
  Status finish();

  const Status& status() const { return status_; }
  std::uint64_t row_count() const { return row_count_; }

 private:
  void add_field(const ValueView& value);
  Error at_line(std::uint64_t line, std::string_view message) const;
  Error no_such_table() const;
  // The table's columns that can be written; empty if there is no such table.
  Result<std::vector<std::string>> table_columns();
  Status check_columns() const;
  Status take_header(std::uint64_t line);
  Status begin();
  Status end_row(std::uint64_t line);
  // Puts the line in front of an error that names a row.
  Error located(Error error) const;

  Connection& connection_;
  const ImportArguments& arguments_;
  RequestOptions request_;
  const std::string source_;
  bool header_is_next_;
  bool table_exists_ = false;
  std::vector<std::string> table_columns_;
  std::vector<std::string> columns_;
  std::vector<std::string> header_fields_;
  std::size_t field_count_ = 0;  // of the record in the making
  std::uint64_t row_count_ = 0;
  RowLines row_lines_;
  std::optional<Transaction> transaction_;
  std::optional<BulkWriter> writer_;
  Status status_;
};

}  // namespace skua::cli
