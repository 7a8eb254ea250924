// SPDX-License-Identifier: Apache-2.0
#include "campaign/judge.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "campaign/histories.hpp"
#include "sim/checkers/checkers.hpp"

namespace ringcast::campaign {

namespace {

using sim::History;
using sim::SessionEnd;
using sim::SessionRecord;
using Checker = void (*)(const sim::Timeline&, sim::Report&);

/// Which findings of a checker a history can prove.
struct Proof {
  Checker checker;
  std::vector<std::string> invariants;
};

void run(const History& history, const std::vector<Proof>& proofs, Verdict& verdict) {
  const sim::Timeline timeline{history};
  for (const Proof& proof : proofs) {
    sim::Report report;
    proof.checker(timeline, report);
    const auto counts = [&](const std::string& invariant) {
      return std::find(proof.invariants.begin(), proof.invariants.end(), invariant) !=
             proof.invariants.end();
    };
    for (const std::string& invariant : proof.invariants) {
      verdict.judged.push_back(invariant);
      if (report.count(invariant) > 0) verdict.violations[invariant] += report.count(invariant);
    }
    for (const sim::Violation& violation : report.violations()) {
      if (counts(violation.invariant)) verdict.told.push_back(violation);
    }
  }
}

/// C2 needs no order, only whether the daemon still ran.
void check_ends(const Recording& recording, Verdict& verdict) {
  verdict.judged.emplace_back("C2");
  std::set<std::uint64_t> stalled;
  for (const Fault& fault : recording.faults) {
    if (fault.kind == "stall") stalled.insert(std::stoull(fault.target));
  }
  for (std::size_t s = 0; s < recording.notes.size(); ++s) {
    const SessionRecord& session = recording.sessions.sessions[s];
    // To a client that does not read, the reason may not have fitted into its socket any more.
    if (session.end != SessionEnd::lost || stalled.contains(recording.notes[s].recorder)) continue;
    bool ended = false;
    for (const DaemonRun& run : recording.runs) {
      ended |= run.daemon == session.daemon && run.pid == recording.notes[s].daemon_pid &&
               run.ended.has_value();
    }
    if (ended) continue;
    ++verdict.violations["C2"];
    verdict.told.push_back(
        {.invariant = "C2",
         .what = "client " + std::to_string(session.client) + " " + to_string(session.member()) +
                 " lost its connection though its daemon runs: " + session.reason});
  }
}

/// L1, by the last configuration that each open session was told: a witness may have joined its
/// groups after that began, so the witnessed history need not have it.
void check_one_configuration(const Recording& recording, Verdict& verdict) {
  if (!recording.settled) return;
  verdict.judged.emplace_back("L1");
  std::set<NodeId> alive;
  for (const DaemonRun& run : recording.runs) {
    if (!run.ended) alive.insert(node_id(run.daemon));
  }
  std::set<RingId> rings;
  for (const SessionRecord& session : recording.sessions.sessions) {
    if (session.end != SessionEnd::open) continue;
    const ConfigurationEvent* last = nullptr;
    for (const sim::SessionEvent& event : session.events) {
      if (const auto* change = std::get_if<ConfigurationEvent>(&event.what)) last = change;
    }
    const bool whole =
        last != nullptr && std::set<NodeId>(last->daemons.begin(), last->daemons.end()) == alive;
    if (last != nullptr) rings.insert(last->id);
    if (whole && rings.size() == 1) continue;
    ++verdict.violations["L1"];
    verdict.told.push_back(
        {.invariant = "L1",
         .what = "client " + std::to_string(session.client) + " " + to_string(session.member()) +
                 " ends in another configuration than one of all " + std::to_string(alive.size()) +
                 " running daemons"});
  }
}

}  // namespace

Verdict judge(Recording recording) {
  Verdict verdict;
  check_ends(recording, verdict);
  check_one_configuration(recording, verdict);
  run(recording.sessions,
      {{sim::check_views, {"G1", "G2", "G3", "G4", "G6", "G7", "G9", "G16"}},
       {sim::check_group_delivery, {"G5", "G7", "G8"}},
       {sim::check_clients, {"E24"}},
       {sim::check_liveness, {"L3", "G9", "G10"}}},
      verdict);
  run(accounts(recording),
      {{sim::check_integrity, {"E1", "E2", "E3", "E25"}},
       {sim::check_order, {"E13", "E14"}},
       {sim::check_acyclic, {"E9"}}},
      verdict);
  const Witnessed witnesses = witnessed(recording);
  run(witnesses.history,
      {{sim::check_configurations, {"E5", "E6", "E8"}},
       {sim::check_gaps, {"E12", "E15", "E16"}},
       {sim::check_agreement, {"E11", "E18", "E23"}},
       {sim::check_clients, {"C1", "E24"}}},
      verdict);
  for (const sim::Violation& violation : witnesses.not_kept) {
    if (++verdict.violations[violation.invariant] <= 4) verdict.told.push_back(violation);
  }
  verdict.configurations = witnesses.configurations;
  verdict.witnessed_configurations = witnesses.complete;
  verdict.witnessed_deliveries = witnesses.deliveries;
  verdict.stable_confirmations = witnesses.confirmations;
  std::sort(verdict.judged.begin(), verdict.judged.end());
  verdict.judged.erase(
      std::unique(verdict.judged.begin(), verdict.judged.end()), verdict.judged.end());
  return verdict;
}

}  // namespace ringcast::campaign
