// Which key a client asks for next: Zipfian (a few keys are asked for all the time), ScrambledZipfian (the same, with those few
// all over the table).
//
// As Yahoo's benchmark has them (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", 2010), with the algorithm of
// Gray et al., "Quickly Generating Billion-Record Synthetic Databases", 1994. One thread.
#pragma once

#include <cstdint>
#include <random>

namespace skua::bench {

// From 0 up to but without 1, of 2^53 steps.
double draw_share(std::mt19937_64& random);

class Zipfian {
 public:
  static constexpr double kTheta = 0.99;

  // Takes time in proportion to the count.
  explicit Zipfian(std::uint64_t count);
  // For a count whose zeta(count), the sum of 1 / rank^kTheta, is known.
  Zipfian(std::uint64_t count, double zeta);

  // A rank below the count; 0 comes most often, rank r (r + 1)^kTheta times less often.
  std::uint64_t draw(std::mt19937_64& random) const;
  // Takes time in proportion to the difference.
  void grow(std::uint64_t count);
  std::uint64_t count() const { return count_; }

 private:
  void derive();

  std::uint64_t count_ = 0;
  double zeta_ = 0;
  double alpha_ = 0;
  double eta_ = 0;
};

class ScrambledZipfian {
 public:
  explicit ScrambledZipfian(std::uint64_t count);

  // A key below the count.
  std::uint64_t draw(std::mt19937_64& random) const;

 private:
  std::uint64_t count_;
  Zipfian ranks_;
};

}  // namespace skua::bench
