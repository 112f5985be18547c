// Random: a seeded generator for tests. It prints its seed to stderr when it starts, which ctest shows with a
// failed test, and takes the seed from SKUA_TEST_SEED if that is set. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace skua::test {

class Random {
 public:
  Random();
  explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}

  std::uint64_t seed() const { return seed_; }
  std::uint64_t word() { return engine_(); }
  // Any value from low to high, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  bool one_in(std::uint32_t times) { return between(1, times) == 1; }
  std::string bytes(std::size_t count);

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace skua::test
