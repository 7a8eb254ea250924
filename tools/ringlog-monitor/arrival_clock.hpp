// SPDX-License-Identifier: Apache-2.0
//
// ArrivalClock: the time of day at the start, and from there on a clock that nobody sets back.
#pragma once

#include <chrono>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

class ArrivalClock {
 public:
  [[nodiscard]] Instant now() const {
    return std::chrono::floor<std::chrono::milliseconds>(
        start_ + (std::chrono::steady_clock::now() - steady_start_));
  }

 private:
  std::chrono::system_clock::time_point start_{std::chrono::system_clock::now()};
  std::chrono::steady_clock::time_point steady_start_{std::chrono::steady_clock::now()};
};

}  // namespace ringcast::monitor
