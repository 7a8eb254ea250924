// SPDX-License-Identifier: Apache-2.0
//
// WorkBudget: how much of a processor's time the monitor's readers may take. Lines come first:
// when requests have taken their share of the last seconds, further ones have to wait. What is
// taken is time on the processor, so that nobody is sent away because the host is busy.
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
  /// When there is something left again; at once, when allows() has just said so.
  [[nodiscard]] Clock::time_point next() const {
    if (taken_ < burst) return last_;
    return last_ + ((taken_ - burst) * share) + std::chrono::milliseconds(1);
  }

 private:
  Clock::duration taken_{};
  Clock::time_point last_{};
};

}  // namespace ringcast::monitor
