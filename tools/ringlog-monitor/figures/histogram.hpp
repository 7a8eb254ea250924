// SPDX-License-Identifier: Apache-2.0
//
// Histogram: percentiles of sizes and times in a fixed number of counters. Log-linear: every
// power of two is divided into 32 parts, so a value read from it is off by at most 1/64 (1.6 %);
// below 64, and at both ends, it is exact. RecentHistogram is one of the last minute only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

class Histogram {
 public:
  Histogram();

  void add(std::uint64_t value);
  void add(const Histogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// 0 when empty, as all of the following.
  [[nodiscard]] double mean() const;
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  /// The value below or at which a share of the values lies. REQUIRES: 0 <= share <= 1.
  [[nodiscard]] std::uint64_t percentile(double share) const;
  /// How many are at most so much, or so little above that they are counted at one place with it.
  [[nodiscard]] std::uint64_t count_up_to(std::uint64_t value) const;

 private:
  std::vector<std::uint64_t> counters_;
  std::uint64_t count_{0};
  double sum_{0};
  std::uint64_t min_{0};
  std::uint64_t max_{0};
};

class RecentHistogram {
 public:
  static constexpr std::chrono::seconds slot_length{10};
  static constexpr std::size_t slots = 6;

  void add(std::uint64_t value, Instant now);
  /// Of the last minute, give or take a slot.
  [[nodiscard]] Histogram recent(Instant now) const;

 private:
  struct Slot {
    std::int64_t number{-1};  // since 1970
    Histogram histogram;
  };
  std::array<Slot, slots> slots_;
};

}  // namespace ringcast::monitor
