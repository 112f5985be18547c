#include "bench/workloads/key_distribution.h"

#include <algorithm>
#include <cmath>

#include "protocol/result.h"

namespace skua::bench {

namespace {

// Yahoo's ScrambledZipfianGenerator draws a rank of so many, and has their zeta as a constant.
constexpr std::uint64_t kScrambledRanks = 10'000'000'000;
constexpr double kScrambledZeta = 26.46902820178302;

// FNV-1a of the eight bytes.
std::uint64_t hash_of(std::uint64_t value) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (int byte = 0; byte < 8; ++byte, value >>= 8) hash = (hash ^ (value & 0xff)) * 0x100000001b3;
  return hash;
}

// What ranks `begin` to `end` add to zeta, counted from 0.
double zeta_of(std::uint64_t begin, std::uint64_t end) {
  double sum = 0;
  for (std::uint64_t rank = begin; rank < end; ++rank) sum += 1 / std::pow(static_cast<double>(rank + 1), Zipfian::kTheta);
  return sum;
}

}  // namespace

double draw_share(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

Zipfian::Zipfian(std::uint64_t count) : Zipfian(count, zeta_of(0, count)) {}

Zipfian::Zipfian(std::uint64_t count, double zeta) : count_(count), zeta_(zeta) {
  SKUA_CHECK(count > 2);
  derive();
}

void Zipfian::derive() {
  alpha_ = 1 / (1 - kTheta);
  const double zeta_of_two = zeta_of(0, 2);
  eta_ = (1 - std::pow(2 / static_cast<double>(count_), 1 - kTheta)) / (1 - zeta_of_two / zeta_);
}

void Zipfian::grow(std::uint64_t count) {
  if (count <= count_) return;
  zeta_ += zeta_of(count_, count);
  count_ = count;
  derive();
}

std::uint64_t Zipfian::draw(std::mt19937_64& random) const {
  const double share = draw_share(random);
  const double scaled = share * zeta_;
  if (scaled < 1) return 0;
  if (scaled < 1 + std::pow(0.5, kTheta)) return 1;
  const double rank = static_cast<double>(count_) * std::pow(eta_ * share - eta_ + 1, alpha_);
  return std::min(count_ - 1, static_cast<std::uint64_t>(rank));
}

ScrambledZipfian::ScrambledZipfian(std::uint64_t count) : count_(count), ranks_(kScrambledRanks, kScrambledZeta) {
  SKUA_CHECK(count > 0);
}

std::uint64_t ScrambledZipfian::draw(std::mt19937_64& random) const { return hash_of(ranks_.draw(random)) % count_; }

}  // namespace skua::bench
