// When a decision is taken, and its randomness: part of the command, never looked up.
#pragma once

#include <cstdint>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace baton::engine {

struct Moment {
  ShardTime now;
  WallTime wall;
  Seed seed;
};

// A stream of numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014). The same seed gives the same stream.
class Random {
 public:
  explicit Random(const Seed& seed) : state_(seed.high ^ (seed.low * 0x9E3779B97F4A7C15ULL)) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound]; bound >= 0. The bias of the modulus is below 2^-20 for the delays it is used for.
  std::int64_t up_to(std::int64_t bound) {
    return static_cast<std::int64_t>(next() % (static_cast<std::uint64_t>(bound) + 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace baton::engine
