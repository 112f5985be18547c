// How long the benchmark waits for a peer before it gives the peer up.
#pragma once

#include <chrono>
#include <cstdint>

namespace skua::bench {

constexpr std::chrono::seconds kStartPatience{30};
constexpr std::uint32_t kConnectTimeoutMs = 5'000;

}  // namespace skua::bench
