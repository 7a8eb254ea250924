// SPDX-License-Identifier: Apache-2.0
//
// Plans: named sets of fault classes. A plan and a seed give a Scenario, in which nothing is
// left to chance but what the seed's streams decide.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/faults.hpp"
#include "sim/partial.hpp"
#include "sim/workload.hpp"

namespace ringcast::sim {

/// How long and how lively the runs of a plan are.
struct Pace {
  Duration fault_phase_min{std::chrono::seconds{2}};
  Duration fault_phase_max{std::chrono::seconds{6}};
  Duration interval_min{std::chrono::milliseconds{60}};  ///< mean time between faults
  Duration interval_max{std::chrono::milliseconds{600}};
  Duration think_min{std::chrono::milliseconds{4}};  ///< mean time between a client's actions
  Duration think_max{std::chrono::milliseconds{60}};
  /// For an hour and more: half of the seeds have no client, loss is at most 10 %, links heal
  /// one by one. Counts as idle time.
  bool calm{false};
  /// The run begins in two halves that are joined at its end, under load in half of the seeds.
  bool merges{false};
};

/// Which of a plan's classes a seed has.
enum class Choice : std::uint8_t {
  all,   ///< each of them
  each,  ///< each with probability 1/2
  some,  ///< an eighth, a quarter or half of them; sometimes exactly one, sometimes none
  one,   ///< exactly one
};

struct Plan {
  std::string name;
  std::string summary;
  std::vector<Fault> faults;
  Choice choice{Choice::all};
  bool is_partial{false};  ///< some links stay cut for a minute after the faults (partial.hpp)
  Pace pace{};
  /// Counts that are not 0 over `evidence_seeds_min` seeds and more, or the plan does not test
  /// what its name says.
  std::vector<std::string> evidence;
};

const std::vector<Plan>& plans();
const Plan* find_plan(std::string_view name);

inline constexpr std::uint64_t evidence_seeds_min = 50;

/// What differs from what the seed draws. Everything else stays as drawn: a run with one node
/// less still has the same links, timeouts and workload.
struct Overrides {
  std::optional<std::size_t> nodes;
  std::optional<std::size_t> clients;
  std::optional<std::set<Fault>> faults;  ///< classes; those that the seed did not draw stay off
  std::optional<Duration> fault_phase;
  std::optional<std::vector<Injection>> schedule;  ///< see FaultOptions::schedule
};

struct Scenario {
  ClusterConfig cluster;
  FaultOptions faults;
  WorkloadOptions workload;
  std::optional<PartialOptions> partial;
  Duration fault_phase{std::chrono::seconds{5}};
  Duration load_after_heal{std::chrono::milliseconds{300}};
  /// L1 and L3 must hold by then: the longest back-off, and what seven daemons need in the worst
  /// order of their timers.
  Duration settle_max{std::chrono::seconds{21}};
  /// For L3 beyond that: while clients wait, something new is delivered at least so often.
  Duration progress_within{std::chrono::seconds{5}};
  Duration calm{std::chrono::seconds{2}};  ///< and no configuration may change for so long
  /// L6: fewer changes per hour of faults that nothing called for. Without: not judged.
  std::optional<double> spurious_per_hour_max;
  /// L4: one configuration again so soon after healing, the load going on meanwhile.
  std::optional<Duration> merge_max;

  [[nodiscard]] std::string describe() const;
};

Scenario draw(const Plan& plan, std::uint64_t seed, const Overrides& overrides);

}  // namespace ringcast::sim
