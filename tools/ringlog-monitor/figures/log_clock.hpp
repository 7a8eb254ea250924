// SPDX-License-Identifier: Apache-2.0
//
// LogClock: the monitor's time while it reads an old log: the latest stamp so far. Stamps that
// step back do not move it. One that is more than a day ahead moves it only when the next stamp
// is as far, so that a single wrong one does not end every visit.
#pragma once

#include <optional>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

class LogClock {
 public:
  /// The time at which a line with that stamp counts.
  Instant advance(std::optional<Instant> stamp);

 private:
  std::optional<Instant> now_;
  std::optional<Instant> doubted_;  // the stamp before, when it was too far ahead
};

}  // namespace ringcast::monitor
