// SPDX-License-Identifier: Apache-2.0
//
// The latest stamp, with a doubt.
#include "tools/ringlog-monitor/figures/log_clock.hpp"

#include <algorithm>

namespace ringcast::monitor {

namespace {

constexpr std::chrono::days leap_max{1};

}  // namespace

Instant LogClock::advance(std::optional<Instant> stamp) {
  if (!stamp) return now_.value_or(Instant{});
  if (!now_ || *stamp <= *now_ + leap_max) {
    now_ = std::max(now_.value_or(*stamp), *stamp);
    doubted_.reset();
  } else if (doubted_ && *stamp + leap_max >= *doubted_) {
    now_ = std::min(*doubted_, *stamp);
    doubted_.reset();
  } else {
    doubted_ = stamp;
  }
  return *now_;
}

}  // namespace ringcast::monitor
