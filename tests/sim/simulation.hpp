// SPDX-License-Identifier: Apache-2.0
//
// One run: a plan and a seed, the fault phase, the mending, the demand that everything comes
// to rest, the checkers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  int label{0};         ///< the caller's own, to tell outcomes apart
  bool packets{false};  ///< with verbose: each packet too, as an arrow
  /// Told of each operation on a machine or link once it is done, also by a run that then dies.
  std::function<void(const Injection&)> on_injection;
};

struct RunResult {
  Report report;
  std::string scenario;
  std::size_t nodes{0};
  std::size_t clients{0};
  Duration fault_phase{0};
  std::uint64_t hash{0};
  Duration simulated{0};
  Duration settled_after{0};  ///< since the faults ended
  bool calm{false};           ///< hours of an idle ring, or next to
  std::map<std::string, std::uint64_t> counts;
  std::vector<Injection> injections;  ///< all that was done to machines and links
};

/// REQUIRES: options.plan names a plan.
RunResult run(const RunOptions& options);
/// The same with a scenario that was changed by hand; of the options, seed and verbose count.
RunResult run(const Scenario& scenario, const RunOptions& options);

}  // namespace ringcast::sim
