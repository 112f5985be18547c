// The one error type of Skua, in the daemon and in the client.
//
// A code says what the caller should do next; the message is for people and is never parsed.
// Any thread. Free of Cap'n Proto, SQLite and libuv, so that the client's public headers can use it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skua {

// The first block mirrors wire::ErrorCode, value by value (checked in codec.cc).
enum class ErrorCode : std::uint16_t {
  kInternal = 0,            // a defect of the daemon: report it
  kProtocol = 1,            // the client broke the protocol: fix the client
  kVersion = 2,             // no common protocol version: update the older side
  kSql = 3,                 // fix the SQL
  kConstraint = 4,          // the data breaks a constraint
  kParameter = 5,           // the parameters do not fit the statement
  kNotFound = 6,            // no such database: fix the name
  kAccess = 7,              // refused to this user, or never allowed
  kLimit = 8,               // a named limit was passed: ask for less or raise it
  kCancelled = 9,           // the client cancelled it
  kDeadline = 10,           // its deadline passed: retry with more time
  kUnavailable = 11,        // not now: retry later
  kTransactionAborted = 12, // rolled back by the daemon: say rollback, then restart the transaction
  kTransactionState = 13,   // not allowed in the transaction's present state: fix the order of requests
  kReadOnly = 14,           // a write where only reads are allowed
  kDiskFull = 15,           // free some space, then retry
  kIo = 16,                 // the disk or the file failed: look at the daemon's log
  kCorrupt = 17,            // the file is damaged or not a database: restore it

  // Made by the client library only.
  kConnect = 1000,   // cannot reach the daemon: is it running, is this the socket?
  kLost = 1001,      // the connection ended before the answer: nothing was changed, or a transaction was rolled back
  kInDoubt = 1002,   // the connection ended before the answer to something that may have been committed
  kUsage = 1003,     // the caller's own mistake: a column that does not exist, a value of another type
};

// What became of the transaction that the failed request named. Mirrors wire::TransactionState.
enum class TransactionState : std::uint16_t {
  kNone = 0,     // no transaction is open under that number
  kOpen = 1,     // it goes on; the failed statement undid itself
  kAborted = 2,  // the daemon rolled it back; only rollback is accepted now
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::int32_t sqlite_code = 0;  // SQLite's extended result code (sqlite.org/rescode.html), 0 if none
  std::string message;
  std::int32_t sql_offset = -1;  // byte offset in the SQL text, -1 if unknown
  TransactionState transaction = TransactionState::kNone;
  // execute_many: the parameter row that failed; program: the step; from 0. -1 otherwise. With independent rows: the first
  // row that is not committed.
  std::int64_t row = -1;

  // True when the same request may succeed if it is sent again, with nothing changed by the first attempt; with independent
  // rows: those from `row` on.
  bool is_retryable() const {
    return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadline || code == ErrorCode::kDiskFull ||
           code == ErrorCode::kLost || code == ErrorCode::kConnect;
  }
  // True when the transaction the request named is gone and must be begun anew.
  bool ends_transaction() const {
    return transaction == TransactionState::kAborted || code == ErrorCode::kTransactionAborted ||
           code == ErrorCode::kLost || code == ErrorCode::kInDoubt;
  }
};

// The code's name as people read it in messages, logs and `--json` output: "constraint", "disk full".
std::string_view to_string(ErrorCode code);

}  // namespace skua
