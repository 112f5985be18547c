// Failure: what everything in tests/support throws when something is not as a test needs it.
//
// Criterion turns an exception that leaves a test into its failure and unwinds the stack, so that daemons and
// folders go away; run_program() does the same for programs with a main() of their own. Any thread.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace skua::test {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require(bool condition, const std::string& message) {
  if (!condition) throw Failure(message);
}

// The value of a Result, or a Failure that quotes its error.
template <class R>
auto must(R&& result, const std::string& what = "a call") {
  if (!result) throw Failure(what + " failed: " + result.error().message);
  if constexpr (!std::is_void_v<typename std::remove_cvref_t<R>::value_type>)
    return std::forward<R>(result).value();
}

// The body of a main() that is a test: 0 if it returns, 1 and the reason on stderr if it throws.
template <class Body>
int run_program(Body&& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "failed: %s\n", exception.what());
    return 1;
  }
}

}  // namespace skua::test
