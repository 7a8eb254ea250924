// SPDX-License-Identifier: Apache-2.0
//
// C4 what a client takes of its daemon's memory is bounded: requests read and not carried out,
//    what waits for the token, what it does not read. Beyond the last bound it is closed, soon;
//    the queue of all stays within its bound and what the requests under way add to it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protocol/base/time.hpp"
#include "protocol/ring/config.hpp"
#include "protocol/session/config.hpp"
#include "protocol/session/inspection.hpp"
#include "sim/checkers/report.hpp"

namespace ringcast::sim {

/// Of one run of a daemon.
class SessionBounds {
 public:
  struct Daemon {
    std::string name;
    std::uint64_t inputs{0};  ///< that it has handled
    Instant now;
    std::uint64_t queued_bytes{0};  ///< for the token
  };

  void look(
      const Daemon& daemon,
      const std::vector<SessionInspection>& sessions,
      const RingConfig& ring,
      const SessionConfig& bounds,
      Report& report);

 private:
  struct Since {
    std::uint64_t inputs{0};
    Instant now;
  };
  std::map<SessionId, Since> over_;  ///< beyond their bound
};

}  // namespace ringcast::sim
