// SPDX-License-Identifier: Apache-2.0
//
// Random: the only source of chance in a simulation. xoshiro256** seeded by splitmix64, with
// our own distributions, because those of the standard library differ between libraries and a
// seed must mean the same run everywhere. fork() gives each subsystem its own stream, so that
// one more draw in the network leaves the workload as it was.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/base/time.hpp"

namespace ringcast::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      word = split_mix(seed);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5U, 7) * 9U;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// 0 .. bound-1. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// Both ends included. REQUIRES: low <= high.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  Duration between(Duration low, Duration high) {
    const auto span = static_cast<std::uint64_t>((high - low).count());
    return low + Duration{static_cast<Duration::rep>(below(span + 1))};
  }
  /// 0 <= x < 1.
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  bool chance(double probability) { return probability > 0 && unit() < probability; }
  /// Exponentially distributed around `mean`.
  Duration around(Duration mean) {
    const double factor = -std::log(1.0 - unit());
    return Duration{static_cast<Duration::rep>(static_cast<double>(mean.count()) * factor)};
  }
  template <class T>
  const T& pick(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }
  Random fork() { return Random{next()}; }

 private:
  static std::uint64_t rotate(std::uint64_t x, unsigned k) { return (x << k) | (x >> (64U - k)); }
  static std::uint64_t split_mix(std::uint64_t& seed) {
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace ringcast::sim
