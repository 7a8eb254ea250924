// SPDX-License-Identifier: Apache-2.0
//
// The simulator's checkers over what real clients recorded. A client sees less than the
// simulator, so each checker is given a history in which what it needs is known to be complete,
// and of its findings only those count that such a history can prove (docs/testing.md has the
// table):
//
//   sessions   what each client asked and was told, as it is
//   accounts   each session as if it were a process: an order of its own, with gaps
//   witnessed  each run of a daemon as its witness saw it: the configurations that began when the
//              witness was in all groups, with all messages to groups and nothing else
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "campaign/load.hpp"
#include "sim/checkers/report.hpp"

namespace ringcast::campaign {

struct Verdict {
  std::map<std::string, std::size_t> violations;  ///< by invariant
  std::vector<sim::Violation> told;               ///< the first few of each
  std::vector<std::string> judged;                ///< the invariants that were checked
  std::size_t configurations{0};                  ///< that began at a daemon with a witness
  std::size_t witnessed_configurations{0};        ///< of these, those it saw from their beginning
  std::size_t witnessed_deliveries{0};
  std::size_t stable_confirmations{0};  ///< compared with what the daemons delivered
};

/// Uses the recording up: it may be large.
Verdict judge(Recording recording);

}  // namespace ringcast::campaign
