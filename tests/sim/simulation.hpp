// SPDX-License-Identifier: Apache-2.0
//
// One run: a plan and a seed, the fault phase, the mending, the demand that everything comes
// to rest, the checkers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/checkers/report.hpp"
#include "sim/plan.hpp"

namespace ringcast::sim {

struct RunOptions {
  std::string plan{"baseline"};
  std::uint64_t seed{1};
  Overrides overrides;
  bool verbose{false};
  int label{0};  ///< the caller's own, to tell outcomes apart
};

struct RunResult {
  Report report;
  std::string scenario;
  std::uint64_t hash{0};
  Duration simulated{0};
  Duration settled_after{0};  ///< since the faults ended
  std::map<std::string, std::uint64_t> counts;
  std::vector<Injection> injections;  ///< all that was done to machines and links
};

/// REQUIRES: options.plan names a plan.
RunResult run(const RunOptions& options);
/// The same with a scenario that was changed by hand; of the options, seed and verbose count.
RunResult run(const Scenario& scenario, const RunOptions& options);

}  // namespace ringcast::sim
