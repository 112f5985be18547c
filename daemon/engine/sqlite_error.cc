#include "daemon/engine/sqlite_error.h"

namespace skua {

namespace {

ErrorCode error_code(int extended) {
  switch (extended & 0xff) {
    case SQLITE_ERROR: return ErrorCode::kSql;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return ErrorCode::kConstraint;
    case SQLITE_RANGE: return ErrorCode::kParameter;
    case SQLITE_AUTH: return ErrorCode::kAccess;
    case SQLITE_TOOBIG: return ErrorCode::kLimit;
    case SQLITE_INTERRUPT: return ErrorCode::kCancelled;
    case SQLITE_READONLY: return ErrorCode::kReadOnly;
    case SQLITE_FULL: return ErrorCode::kDiskFull;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::kCorrupt;
    case SQLITE_ABORT: return ErrorCode::kTransactionAborted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_SCHEMA:
    case SQLITE_NOMEM: return ErrorCode::kUnavailable;
    default: return ErrorCode::kInternal;
  }
}

}  // namespace

Error sqlite_error(sqlite3* db, int code) {
  Error error;
  error.sqlite_code = db != nullptr ? sqlite3_extended_errcode(db) : code;
  // A call that fails for its arguments alone leaves the connection's code as it was.
  if ((error.sqlite_code & 0xff) != (code & 0xff)) error.sqlite_code = code;
  error.code = error_code(error.sqlite_code);
  const bool same = db != nullptr && sqlite3_errcode(db) == (code & 0xff);
  error.message = same || (db != nullptr && sqlite3_extended_errcode(db) == code) ? sqlite3_errmsg(db)
                                                                                  : sqlite3_errstr(code);
  if (db != nullptr) error.sql_offset = sqlite3_error_offset(db);
  return error;
}

bool is_sync_failure(int sqlite_code) {
  return sqlite_code == SQLITE_IOERR_FSYNC || sqlite_code == SQLITE_IOERR_DIR_FSYNC;
}

}  // namespace skua
