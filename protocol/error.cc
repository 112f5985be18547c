#include "protocol/error.h"

namespace skua {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal: return "internal";
    case ErrorCode::kProtocol: return "protocol";
    case ErrorCode::kVersion: return "version";
    case ErrorCode::kSql: return "sql";
    case ErrorCode::kConstraint: return "constraint";
    case ErrorCode::kParameter: return "parameter";
    case ErrorCode::kNotFound: return "not found";
    case ErrorCode::kAccess: return "access";
    case ErrorCode::kLimit: return "limit";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kDeadline: return "deadline";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kTransactionAborted: return "transaction aborted";
    case ErrorCode::kTransactionState: return "transaction state";
    case ErrorCode::kReadOnly: return "read only";
    case ErrorCode::kDiskFull: return "disk full";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kCorrupt: return "corrupt";
    case ErrorCode::kConnect: return "connect";
    case ErrorCode::kLost: return "connection lost";
    case ErrorCode::kInDoubt: return "in doubt";
    case ErrorCode::kUsage: return "usage";
  }
  return "unknown";
}

}  // namespace skua
