// SPDX-License-Identifier: Apache-2.0
//
// Time as the protocol sees it: points on a clock it cannot read. Drivers hand in `now`,
// which never goes back; the simulator's is virtual.
#pragma once

#include <chrono>

namespace ringcast {

using Duration = std::chrono::nanoseconds;

/// A clock without now().
struct ProtocolClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ProtocolClock, duration>;
  static constexpr bool is_steady = true;
};

using Instant = ProtocolClock::time_point;

}  // namespace ringcast
