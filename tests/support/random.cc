#include "tests/support/random.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

namespace skua::test {
namespace {

std::uint64_t chosen_seed() {
  const char* given = std::getenv("SKUA_TEST_SEED");
  if (given != nullptr && *given != '\0') return std::strtoull(given, nullptr, 10);
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

Random::Random() : Random(chosen_seed()) {
  std::fprintf(stderr, "random test: SKUA_TEST_SEED=%" PRIu64 " repeats it\n", seed_);
}

std::string Random::bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(word());
  return bytes;
}

}  // namespace skua::test
