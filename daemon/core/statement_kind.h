// StatementKind: what one SQL statement is, as far as its first words tell, to choose a lane before anything is prepared.
//
// It is a hint, and wrong hints do no harm: a reader lane refuses to run a statement that writes
// (sqlite3_stmt_readonly) and the statement goes on to the writer, and a read runs on the writer as well. What is allowed at all is decided by the engine's
// authorizer, not here. BEGIN, COMMIT, ROLLBACK, SAVEPOINT and RELEASE are taken apart here and never reach SQLite as
// text, so that they mean exactly what the protocol's calls mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace skua {

struct StatementKind {
  enum class Class : std::uint8_t {
    kRead,
    kWrite,
    kBegin,       // BEGIN [DEFERRED|IMMEDIATE|EXCLUSIVE|READ ONLY|READ WRITE] [TRANSACTION]
    kCommit,      // COMMIT or END [TRANSACTION]
    kRollback,    // ROLLBACK [TRANSACTION]
    kSavepoint,   // SAVEPOINT name
    kRelease,     // RELEASE [SAVEPOINT] name
    kRollbackTo,  // ROLLBACK [TRANSACTION] TO [SAVEPOINT] name
  };

  Class statement_class = Class::kRead;
  bool read_only = false;  // kBegin
  bool changes_rows = false;       // INSERT, UPDATE, DELETE or REPLACE, with or without WITH
  bool creates = false;            // CREATE ...
  bool creates_temporary = false;  // CREATE TEMP ..., which needs a connection of the session's own
  std::string name{};      // of the savepoint, unquoted

  bool is_transaction_control() const {
    return statement_class != Class::kRead && statement_class != Class::kWrite;
  }
};

// The first words do not tell: classify_statement() may have to read the text to its end.
bool is_classified_late(std::string_view sql);
// kSql for transaction control that is misspelt or followed by more.
Result<StatementKind> classify_statement(std::string_view sql);

}  // namespace skua
