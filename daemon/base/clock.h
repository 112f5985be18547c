// Monotonic time in microseconds. core/ never reads the clock: it is told the time, so that it can be simulated.
#pragma once

#include <chrono>
#include <cstdint>

namespace skua {

inline std::uint64_t monotonic_us() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

}  // namespace skua
