// SPDX-License-Identifier: Apache-2.0
//
// TimeLine: requests, bytes, errors and latencies over time, for plots, in so many buckets. The
// stretch of time they cover begins with the first line; when there are no buckets left, either
// the oldest is forgotten, or all become twice as wide. Latencies are kept in 8 parts of each
// power of two: a percentile is off by at most 1/16.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "tools/ringlog-monitor/figures/instant.hpp"
#include "tools/ringlog-monitor/figures/rate_window.hpp"

namespace ringcast::monitor {

class TimeLine {
 public:
  enum class WhenFull { forget, widen };
  /// Whether the bucket that time is in, which is not over, belongs to what is read.
  enum class Current { without, with };

  struct Point {
    Rate rate;
    bool has_latency{false};
    std::uint64_t p50{0};  ///< in microseconds, as the next two
    std::uint64_t p90{0};
    std::uint64_t p99{0};
  };
  /// Points at equal distances.
  struct Stretch {
    Instant start{};
    std::chrono::seconds step{1};
    std::vector<Point> points;
  };

  /// REQUIRES: buckets_max > 1.
  TimeLine(std::size_t buckets_max, WhenFull when_full)
      : buckets_max_(buckets_max), when_full_(when_full) {}

  /// A time that nothing is known of, Instant{}, is not taken. REQUIRES: `now` does not step back.
  void add(const Tally& tally, std::optional<std::uint64_t> latency, Instant now);
  /// The last `points_max`, up to now; without lines they are zero.
  [[nodiscard]] Stretch read(Instant now, Current current, std::size_t points_max) const;

 private:
  struct Bucket {
    Tally tally;
    std::vector<std::uint32_t> latencies;  // empty while there are none
  };

  [[nodiscard]] std::int64_t number_of(Instant now) const;
  Bucket& bucket_at(Instant now);
  void widen();
  static void merge(Bucket& into, const Bucket& from);
  [[nodiscard]] Point point_of(std::int64_t number, Instant now) const;

  std::size_t buckets_max_;
  WhenFull when_full_;
  std::chrono::seconds step_{1};
  std::int64_t first_{0};  // which `step_` since 1970 the first bucket is
  std::deque<Bucket> buckets_;
};

}  // namespace ringcast::monitor
