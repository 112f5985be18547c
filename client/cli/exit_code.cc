#include "client/cli/exit_code.h"

namespace skua::cli {

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUsage:
    case ErrorCode::kNotFound:
      return ExitCode::kUsage;
    case ErrorCode::kConnect:
    case ErrorCode::kVersion:
    case ErrorCode::kLost:
    case ErrorCode::kInDoubt:
      return ExitCode::kNoConnection;
    case ErrorCode::kDeadline:
    case ErrorCode::kLimit:
    case ErrorCode::kUnavailable:
      return ExitCode::kRefused;
    case ErrorCode::kCancelled:
      return ExitCode::kInterrupted;
    case ErrorCode::kInternal:
    case ErrorCode::kProtocol:
    case ErrorCode::kSql:
    case ErrorCode::kConstraint:
    case ErrorCode::kParameter:
    case ErrorCode::kAccess:
    case ErrorCode::kTransactionAborted:
    case ErrorCode::kTransactionState:
    case ErrorCode::kReadOnly:
    case ErrorCode::kDiskFull:
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace skua::cli
