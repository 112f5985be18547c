#include "client/c/error.h"

#include <string>
#include <utility>

namespace skua::c {

// The same numbers, value by value; to_code() below is where a new code of C++ is noticed.
static_assert(SKUA_PROTOCOL == static_cast<int>(ErrorCode::kProtocol));
static_assert(SKUA_VERSION == static_cast<int>(ErrorCode::kVersion));
static_assert(SKUA_SQL == static_cast<int>(ErrorCode::kSql));
static_assert(SKUA_CONSTRAINT == static_cast<int>(ErrorCode::kConstraint));
static_assert(SKUA_PARAMETER == static_cast<int>(ErrorCode::kParameter));
static_assert(SKUA_NOT_FOUND == static_cast<int>(ErrorCode::kNotFound));
static_assert(SKUA_ACCESS == static_cast<int>(ErrorCode::kAccess));
static_assert(SKUA_LIMIT == static_cast<int>(ErrorCode::kLimit));
static_assert(SKUA_CANCELLED == static_cast<int>(ErrorCode::kCancelled));
static_assert(SKUA_DEADLINE == static_cast<int>(ErrorCode::kDeadline));
static_assert(SKUA_UNAVAILABLE == static_cast<int>(ErrorCode::kUnavailable));
static_assert(SKUA_TRANSACTION_ABORTED == static_cast<int>(ErrorCode::kTransactionAborted));
static_assert(SKUA_TRANSACTION_STATE == static_cast<int>(ErrorCode::kTransactionState));
static_assert(SKUA_READ_ONLY == static_cast<int>(ErrorCode::kReadOnly));
static_assert(SKUA_DISK_FULL == static_cast<int>(ErrorCode::kDiskFull));
static_assert(SKUA_IO == static_cast<int>(ErrorCode::kIo));
static_assert(SKUA_CORRUPT == static_cast<int>(ErrorCode::kCorrupt));
static_assert(SKUA_CONNECT == static_cast<int>(ErrorCode::kConnect));
static_assert(SKUA_LOST == static_cast<int>(ErrorCode::kLost));
static_assert(SKUA_IN_DOUBT == static_cast<int>(ErrorCode::kInDoubt));
static_assert(SKUA_USAGE == static_cast<int>(ErrorCode::kUsage));

skua_code to_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal: return SKUA_INTERNAL;
    case ErrorCode::kProtocol:
    case ErrorCode::kVersion:
    case ErrorCode::kSql:
    case ErrorCode::kConstraint:
    case ErrorCode::kParameter:
    case ErrorCode::kNotFound:
    case ErrorCode::kAccess:
    case ErrorCode::kLimit:
    case ErrorCode::kCancelled:
    case ErrorCode::kDeadline:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTransactionAborted:
    case ErrorCode::kTransactionState:
    case ErrorCode::kReadOnly:
    case ErrorCode::kDiskFull:
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kConnect:
    case ErrorCode::kLost:
    case ErrorCode::kInDoubt:
    case ErrorCode::kUsage: return static_cast<skua_code>(code);
  }
  return SKUA_INTERNAL;
}

namespace {

// Stands for every error object that there is no memory for; short enough that it needs none itself.
skua_error no_memory{SKUA_NO_MEMORY, make_error(ErrorCode::kInternal, "out of memory")};

}  // namespace

skua_code report(skua_error** error, Error reason) noexcept {
  const skua_code code = to_code(reason.code);
  if (error != nullptr) {
    *error = new (std::nothrow) skua_error{code, std::move(reason)};
    if (*error == nullptr) return report_no_memory(error);
  }
  return code;
}

skua_code report_no_memory(skua_error** error) noexcept {
  if (error != nullptr) *error = &no_memory;
  return SKUA_NO_MEMORY;
}

skua_code report_exception(skua_error** error, const char* what) noexcept {
  try {
    return report(error, make_error(ErrorCode::kInternal, std::string("a defect of libskua: ") + what));
  } catch (...) {
    return report_no_memory(error);
  }
}

Error usage(const char* message) { return make_error(ErrorCode::kUsage, message); }

Error null_argument(const char* name) { return make_error(ErrorCode::kUsage, std::string(name) + " is NULL"); }

}  // namespace skua::c

using skua::ErrorCode;

skua_code skua_error_code(const skua_error* error) { return error == nullptr ? SKUA_OK : error->code; }

const char* skua_error_message(const skua_error* error) { return error == nullptr ? "" : error->error.message.c_str(); }

int32_t skua_error_sqlite_code(const skua_error* error) { return error == nullptr ? 0 : error->error.sqlite_code; }

int32_t skua_error_sql_offset(const skua_error* error) { return error == nullptr ? -1 : error->error.sql_offset; }

int64_t skua_error_row(const skua_error* error) { return error == nullptr ? -1 : error->error.row; }

int skua_error_is_retryable(const skua_error* error) { return error != nullptr && error->error.is_retryable() ? 1 : 0; }

int skua_error_ends_transaction(const skua_error* error) {
  return error != nullptr && error->error.ends_transaction() ? 1 : 0;
}

void skua_error_free(skua_error* error) {
  if (error != &skua::c::no_memory) delete error;
}

const char* skua_code_name(skua_code code) {
  switch (code) {
    case SKUA_OK: return "ok";
    case SKUA_INTERNAL: return skua::to_string(ErrorCode::kInternal).data();
    case SKUA_NO_MEMORY: return "out of memory";
    default: return skua::to_string(static_cast<ErrorCode>(code)).data();  // literals, which end with a NUL
  }
}
