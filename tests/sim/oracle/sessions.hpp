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

#include "protocol/ring/config.hpp"
#include "protocol/session/config.hpp"
#include "protocol/session/inspection.hpp"
#include "sim/checkers/report.hpp"

namespace ringcast::sim {

/// Of one run of a daemon.
class SessionBounds {
 public:
  /// `inputs`: how many the daemon has handled.
  void look(
      const std::string& daemon,
      std::uint64_t inputs,
      const std::vector<SessionInspection>& sessions,
      std::uint64_t queued_bytes,
      const RingConfig& ring,
      const SessionConfig& bounds,
      Report& report);

 private:
  std::map<SessionId, std::uint64_t> over_;  ///< beyond their bound, since which input
};

}  // namespace ringcast::sim
