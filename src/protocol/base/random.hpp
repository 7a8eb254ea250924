// SPDX-License-Identifier: Apache-2.0
//
// Random: the protocol's jitter, seeded from outside so that a run can be repeated.
// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough to spread timers.
#pragma once

#include <cstdint>

namespace ringcast {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// Uniform enough in [0, bound). REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace ringcast
