// SPDX-License-Identifier: Apache-2.0
//
// Seeds in processes of their own: an assertion in the protocol is that seed's failure and not
// the end of the run, and several seeds run at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/simulation.hpp"

namespace ringcast::sim {

/// What became of one seed.
struct Outcome {
  RunOptions options;
  bool ok{false};
  std::string hash;
  double simulated_s{0};
  double processor_s{0};  ///< what its process used, real
  bool calm{false};       ///< an hour of an idle ring, or next to
  bool settled{false};    ///< it came to rest
  double settled_s{0};    ///< from the end of the faults until the run was at rest
  std::map<std::string, std::uint64_t> counts;
  std::map<std::string, std::uint64_t> violations;  ///< by invariant: how often
  std::string first_violated;  ///< the invariant, or "assertion", "time": how its process ended
  std::size_t nodes{0};
  std::size_t clients{0};
  Duration fault_phase{0};
  std::vector<Injection> injections;  ///< when PoolOptions::injections
  /// The failure in words: scenario and violations, or how its process ended. Indented.
  std::string text;
};

struct PoolOptions {
  unsigned jobs{1};
  unsigned seed_limit_s{120};  ///< of processor time one seed may take
  bool twice{false};           ///< run each seed twice: another hash is a violation of P11
  bool injections{false};      ///< Outcome::injections is wanted
};

/// Runs what `next` gives until it gives nothing; `take` gets each outcome in this process, in
/// the order they end. A signal to the group (Ctrl-C) does not end seeds that run. With
/// RunOptions::verbose the seed's own output is not touched.
void run_pool(
    const PoolOptions& options,
    const std::function<std::optional<RunOptions>()>& next,
    const std::function<void(const Outcome&)>& take);

}  // namespace ringcast::sim
