// What the parts of a Channel ask the system: the time, and what an error is called. Any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

namespace skua {

inline std::string describe(int error_number) { return std::generic_category().message(error_number); }

inline std::uint64_t now_us() {
  return static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

inline int milliseconds_until(std::optional<std::chrono::steady_clock::time_point> until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

}  // namespace skua
