// skua_error: an error as C callers hold it; and how an exception, which must not reach them, becomes one. Any thread.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "protocol/result.h"
#include "skua.h"

struct skua_error {
  skua_code code = SKUA_OK;
  skua::Error error;
};

namespace skua::c {

skua_code to_code(ErrorCode code);

// Each of these stores an error object if `error` is not null, and returns its code.
skua_code report(skua_error** error, Error reason) noexcept;
skua_code report_no_memory(skua_error** error) noexcept;
skua_code report_exception(skua_error** error, const char* what) noexcept;

Error usage(const char* message);
// "NAME is NULL".
Error null_argument(const char* name);

// Every function of the interface that can fail is one of these: `body` returns a Status, and nothing is thrown.
template <class Body>
skua_code guarded(skua_error** error, Body&& body) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    Status status = std::forward<Body>(body)();
    if (status) return SKUA_OK;
    return report(error, std::move(status).error());
  } catch (const std::bad_alloc&) {
    return report_no_memory(error);
  } catch (const std::length_error&) {
    // What a container says to a size that no memory could have.
    return report_no_memory(error);
  } catch (const std::exception& exception) {
    return report_exception(error, exception.what());
  } catch (...) {
    return report_exception(error, "an unknown exception");
  }
}

}  // namespace skua::c

// Returns an error from the body of guarded() if an argument is null.
#define SKUA_REQUIRE(argument) \
  if ((argument) == nullptr) return ::skua::c::null_argument(#argument)
