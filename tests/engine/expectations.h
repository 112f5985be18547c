// Expectations whose failure shows what was there instead. They throw Failure. Any thread.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "protocol/error.h"
#include "tests/support/failure.h"

namespace skua::test {

inline void expect_text(std::string_view actual, std::string_view expected) {
  require(actual == expected, fmt::format("expected \"{}\", got \"{}\"", expected, actual));
}

// The message need only contain the words.
inline void expect_error(const Error& error, ErrorCode code, std::string_view words = {}) {
  const bool right = error.code == code && error.message.find(words) != std::string::npos;
  require(right, fmt::format("expected an error \"{}\" with \"{}\", got \"{}\": {}", to_string(code), words,
                             to_string(error.code), error.message));
}

}  // namespace skua::test
