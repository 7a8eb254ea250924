// SPDX-License-Identifier: Apache-2.0
//
// The figures of a campaign: how much was done and seen, and how fast the groups learned of
// killed daemons. Nothing here can fail a campaign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "campaign/load.hpp"

namespace ringcast::campaign {

/// From a SIGKILL to the network view that tells it, one sample per surviving client that was in
/// a group with members at the killed daemon.
struct ViewChanges {
  std::vector<double> seconds;  ///< ascending
  std::size_t unanswered{0};    ///< lost its own daemon, or the record ended, before the view

  [[nodiscard]] double quantile(double share) const;
};

struct Figures {
  std::size_t sessions{0};
  std::size_t published{0};
  std::size_t confirmed{0};
  std::size_t received{0};
  std::size_t received_transitional{0};
  std::map<std::string, std::size_t> views;    ///< by cause
  std::map<std::string, std::size_t> faults;   ///< by kind
  std::map<std::string, std::size_t> endings;  ///< of sessions, with the daemon's reason
  std::size_t configurations{0};               ///< different ones that clients saw
  ViewChanges alone;                           ///< of kills with nothing else going on around them
  ViewChanges together;                        ///< of all kills
  std::size_t spurious{0};  ///< configurations with no fault in the seconds before
  double quiet_seconds{0};  ///< time in which one would have been spurious
};

Figures measure(const Recording& recording);

}  // namespace ringcast::campaign
