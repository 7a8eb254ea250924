// SPDX-License-Identifier: Apache-2.0
//
// Latencies: a histogram of durations from a nanosecond to hours whose cells are never wider
// than 1/64 of what they hold, so a percentile is right to 1.6 %. Its size does not depend on
// how much it counts. The largest is kept exactly.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ringcast::bench {

class Latencies {
 public:
  void add(std::chrono::nanoseconds latency);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds max() const { return max_; }
  /// The duration that `share` (0 to 1) of all do not exceed; zero when there are none.
  [[nodiscard]] std::chrono::nanoseconds percentile(double share) const;

 private:
  static constexpr unsigned steps_log2 = 6;
  static constexpr std::size_t steps = std::size_t{1} << steps_log2;
  static constexpr std::size_t octaves = 44 - steps_log2;

  static std::size_t cell_of(std::uint64_t nanoseconds);
  static std::uint64_t middle_of(std::size_t cell);

  std::array<std::uint64_t, (octaves + 1) * steps> cells_{};
  std::uint64_t count_{0};
  std::chrono::nanoseconds max_{0};
};

}  // namespace ringcast::bench
