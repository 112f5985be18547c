// Result<T> and Status: how every function of Skua that can fail for a reason outside the program says so.
//
// A defect of the program itself is not an Error: it is a failed SKUA_CHECK, which is on in release builds and aborts.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "protocol/error.h"

namespace skua {

// A value or an Error. Converts to true if it is a value; *result and result->member are the value, result.error() the error.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};

// Success or an Error.
using Status = Result<void>;

// An error of one's own, without a place in the SQL or a transaction.
inline Error make_error(ErrorCode code, std::string message) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  return error;
}

// For the library's own use.
[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace skua

// Ends the program with the condition's place if it is false: a defect of the program.
#define SKUA_CHECK(condition) ((condition) ? (void)0 : ::skua::check_failed(#condition, __FILE__, __LINE__))

// For the library's own use.
#define SKUA_CONCAT_INNER(a, b) a##b
#define SKUA_CONCAT(a, b) SKUA_CONCAT_INNER(a, b)

// Returns the error of a Status or Result, or goes on.
#define SKUA_TRY(expression) SKUA_TRY_INNER(SKUA_CONCAT(skua_status_, __LINE__), expression)
#define SKUA_TRY_INNER(name, expression) \
  if (auto name = (expression); !name) return std::move(name).error()

// SKUA_ASSIGN(const bool has_row, statement.step()): returns the error, or declares the value and goes on.
#define SKUA_ASSIGN(declaration, expression) \
  SKUA_ASSIGN_INNER(SKUA_CONCAT(skua_result_, __LINE__), declaration, expression)
#define SKUA_ASSIGN_INNER(name, declaration, expression) \
  auto name = (expression);                              \
  if (!name) return std::move(name).error();             \
  declaration = std::move(name).value()
