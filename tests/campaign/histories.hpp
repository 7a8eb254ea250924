// SPDX-License-Identifier: Apache-2.0
//
// Histories with processes, made of what clients recorded: the form in which the simulator's
// checkers understand it. What was not recorded is left out, never guessed.
#pragma once

#include <cstddef>
#include <vector>

#include "campaign/load.hpp"
#include "sim/checkers/report.hpp"

namespace ringcast::campaign {

/// Each session as if it were a process: an order of its own, with gaps.
sim::History accounts(const Recording& recording);

struct Witnessed {
  sim::History history;
  std::size_t configurations{0};  ///< that began at a daemon with a witness
  std::size_t complete{0};        ///< of these, those the witness saw from their beginning
  std::size_t deliveries{0};
  std::size_t confirmations{0};  ///< stable ones that were compared
  /// E18 by its publishers: what was confirmed as stable, and not delivered by a daemon of the
  /// configuration that lived to install another.
  std::vector<sim::Violation> not_kept;
};

/// Each run of a daemon as the session saw it that was in all groups: the configurations that
/// began after it was, with all messages to groups and no others. The sessions are left with
/// what such a session must have seen too. Uses the recording's sessions up.
Witnessed witnessed(Recording& recording);

}  // namespace ringcast::campaign
