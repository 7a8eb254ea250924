// SPDX-License-Identifier: Apache-2.0
//
// WorkBudget: how much of the monitor's time its readers may take. Lines come first: when
// requests have taken their share of the last seconds, further ones have to wait.
#pragma once

#include <algorithm>
#include <chrono>

namespace ringcast::monitor {

class WorkBudget {
 public:
  using Clock = std::chrono::steady_clock;
  /// What may be taken at once, and how long it is until as much may be taken again.
  static constexpr std::chrono::milliseconds burst{500};
  static constexpr int share = 4;  ///< one part in so many, in the long run

  /// There is something left.
  [[nodiscard]] bool allows(Clock::time_point now) {
    if (last_ != Clock::time_point{}) taken_ -= std::min(taken_, (now - last_) / share);
    last_ = now;
    return taken_ < burst;
  }
  void take(Clock::duration work) { taken_ += work; }

 private:
  Clock::duration taken_{};
  Clock::time_point last_{};
};

}  // namespace ringcast::monitor
