// SPDX-License-Identifier: Apache-2.0
//
// RateWindow: requests, bytes and errors of the last fifteen minutes, in buckets of one second.
// Always of the same size, whatever comes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

struct Tally {
  std::uint64_t requests{0};
  std::uint64_t bytes{0};
  std::uint64_t errors{0};  ///< answers with 4xx and 5xx

  Tally& operator+=(const Tally& other);
  bool operator==(const Tally&) const = default;
};

/// Per second.
struct Rate {
  double requests{0};
  double bytes{0};
  double errors{0};
};

/// Over how many seconds rates are shown. The first is "now".
inline constexpr std::array rate_spans = {
    std::chrono::seconds(5),
    std::chrono::seconds(60),
    std::chrono::seconds(300),
    std::chrono::seconds(900)};

class RateWindow {
 public:
  RateWindow();

  void add(const Tally& tally, Instant now);
  /// Over the last `span` complete seconds, or as many as there are since `since`.
  /// REQUIRES: span is at most the longest of rate_spans.
  [[nodiscard]] Rate rate(std::chrono::seconds span, Instant since, Instant now) const;

 private:
  struct Bucket {
    std::int64_t second{-1};  // which one since 1970 it holds
    Tally tally;
  };
  std::vector<Bucket> buckets_;
};

}  // namespace ringcast::monitor
