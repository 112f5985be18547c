// Statement: one prepared statement. Owns the sqlite3_stmt.
//
// Bound text and blobs are not copied: what they point at must live until reset_bindings() or the next bind.
// Belongs to its connection's thread. sqlite.org/c3ref/stmt.html
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/column_info.h"
#include "protocol/result.h"
#include "protocol/value.h"

namespace skua {

class Statement {
 public:
  // kSql also if there is no statement in the text, or something after the first.
  static Result<Statement> prepare(sqlite3* db, std::string_view sql);

  sqlite3* database() const { return sqlite3_db_handle(stmt_.get()); }
  int parameter_count() const { return sqlite3_bind_parameter_count(stmt_.get()); }
  // With its prefix; empty for a `?`.
  std::string_view parameter_name(int index) const;
  // 0 if there is none of that name, given with or without its prefix.
  int parameter_index(std::string_view name) const;
  // Indexes count from 1, as in SQLite.
  Status bind(int index, const ValueView& value);

  // True: a row. False: done.
  Result<bool> step();
  // The same in SQLite's own words, for loops over many rows: SQLITE_ROW, SQLITE_DONE, or what error() explains.
  int step_code() { return sqlite3_step(stmt_.get()); }
  Error error(int code) const;
  // As after prepare; keeps the bindings.
  void reset() { sqlite3_reset(stmt_.get()); }
  // Also forgets the bindings.
  void reset_bindings();

  bool is_read_only() const { return sqlite3_stmt_readonly(stmt_.get()) != 0; }
  // INSERT or REPLACE, also after WITH.
  bool is_insert() const { return is_insert_; }
  // Virtual machine instructions since it was prepared or last asked. sqlite.org/c3ref/c_stmtstatus_counter.html
  int take_instructions() { return sqlite3_stmt_status(stmt_.get(), SQLITE_STMTSTATUS_VM_STEP, 1); }
  // How often SQLite has prepared it anew by itself: after a change of the schema, or for a parameter that the plan depends on.
  int times_prepared_anew() const { return sqlite3_stmt_status(stmt_.get(), SQLITE_STMTSTATUS_REPREPARE, 0); }
  // What it takes in memory, as SQLite counts it, its text included. Takes about as long as freeing it would.
  std::size_t memory_bytes() const {
    return static_cast<std::size_t>(sqlite3_stmt_status(stmt_.get(), SQLITE_STMTSTATUS_MEMUSED, 0));
  }
  // It calls something that can take long in a single instruction.
  void expect_stall() { may_stall_ = true; }
  bool may_stall() const { return may_stall_; }
  bool is_explain() const { return sqlite3_stmt_isexplain(stmt_.get()) != 0; }
  // Right only after the first step: before it a cached statement may tell of an older schema.
  int column_count() const { return sqlite3_column_count(stmt_.get()); }
  std::vector<ColumnInfo> columns() const;
  // Tells these columns from all others, never 0. Right only after the first step, as they are.
  std::uint64_t columns_id();
  ValueView column(int index) const;
  // The column in place, until the next step, for sqlite3_value_...(): one check of the column for all that is asked of
  // it. It may be used like any other value because connections have no mutex. sqlite.org/c3ref/value.html
  sqlite3_value* value(int index) const { return sqlite3_column_value(stmt_.get(), index); }

 private:
  Statement(sqlite3_stmt* stmt, bool is_insert) : stmt_(stmt), is_insert_(is_insert) {}

  struct Finalize {
    void operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> stmt_;
  bool is_insert_;
  bool may_stall_ = false;
  // 0: not known yet. Of the columns that it has had since SQLite prepared it anew so many times.
  std::uint64_t columns_id_ = 0;
  int columns_id_reprepares_ = 0;
};

}  // namespace skua
