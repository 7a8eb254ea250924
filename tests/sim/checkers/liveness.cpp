// SPDX-License-Identifier: Apache-2.0
//
// After the faults have ended:
// L1 all running daemons end in one configuration of exactly them.
// E21 who ends in a configuration ends there with all of its members.
// E22 a configuration with a dead member comes to an end at each of the others, in bounded time.
// L3 every publish of an open session is confirmed or refused, every join and leave answered.
// G10 (with G9, no ghosts) the last view of each member of a group holds exactly the open
//     sessions that are in it.
#include <algorithm>
#include <set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

using Name = std::pair<NodeId, std::string>;

void check_one_configuration(const Timeline& timeline, Report& report) {
  const History& history = timeline.history;
  std::set<NodeKey> alive;
  for (const Process& process : history.processes) {
    if (!process.ended) alive.insert({.node = process.node, .boot = process.boot});
  }
  std::set<RingId> rings;
  for (ProcessIndex p = 0; p < history.processes.size(); ++p) {
    if (history.processes[p].ended) continue;
    const std::vector<Epoch>& epochs = timeline.epochs[p];
    if (epochs.empty() || epochs.back().configuration == nullptr || epochs.back().transitional()) {
      report.fail("L1", timeline.who(p) + " ends outside a regular configuration");
      continue;
    }
    const Installed& last = *epochs.back().configuration;
    rings.insert(last.id);
    if (std::set<NodeKey>(last.members.begin(), last.members.end()) != alive) {
      report.fail(
          "L1",
          timeline.who(p) + " ends in " + history.show(last.id) + " of " +
              std::to_string(last.members.size()) + " daemons; " + std::to_string(alive.size()) +
              " run");
    }
  }
  if (rings.size() > 1) report.fail("L1", "the run ends with more than one configuration");
}

/// The run of a member; nothing when the history does not know it.
std::optional<ProcessIndex> process_of(const Timeline& timeline, const NodeKey& key) {
  const auto at = timeline.process_of.find(key);
  if (at == timeline.process_of.end()) return std::nullopt;
  return at->second;
}

void check_final_agreement(const Timeline& timeline, Report& report) {
  const History& history = timeline.history;
  for (ProcessIndex p = 0; p < history.processes.size(); ++p) {
    const std::vector<Epoch>& epochs = timeline.epochs[p];
    if (history.processes[p].ended || epochs.empty()) continue;
    if (epochs.back().configuration == nullptr || epochs.back().transitional()) continue;
    const Installed& last = *epochs.back().configuration;
    for (const NodeKey& member : last.members) {
      const auto q = process_of(timeline, member);
      const bool is_there = q && !history.processes[*q].ended && !timeline.epochs[*q].empty() &&
                            timeline.epochs[*q].back().configuration != nullptr &&
                            !timeline.epochs[*q].back().transitional() &&
                            timeline.epochs[*q].back().ring() == last.id;
      if (is_there) continue;
      report.fail(
          "E21",
          timeline.who(p) + " ends in " + history.show(last.id) + ", of which " +
              history.name_of(member.node) + " is a member no longer");
    }
  }
}

/// While faults last they may keep daemons from agreeing for ever, so the time is counted from
/// the end of the faults.
void check_termination(const Timeline& timeline, Report& report) {
  const History& history = timeline.history;
  if (history.patience <= Duration{0}) return;
  for (ProcessIndex p = 0; p < history.processes.size(); ++p) {
    const std::vector<Epoch>& epochs = timeline.epochs[p];
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      if (epochs[i].configuration == nullptr || epochs[i].transitional()) continue;
      Instant until = history.processes[p].ended.value_or(history.finished);
      if (i + 1 < epochs.size()) until = epochs[i + 1].installed;
      for (const NodeKey& member : epochs[i].configuration->members) {
        const auto q = process_of(timeline, member);
        if (!q || !history.processes[*q].ended) continue;
        const Instant since = std::max(*history.processes[*q].ended, history.healed);
        if (until <= since + history.patience) continue;
        report.fail(
            "E22",
            timeline.who(p) + " was in " + timeline.show(epochs[i]) + " until " + show(until) +
                ", though " + timeline.who(*q) + " had ended at " +
                show(*history.processes[*q].ended));
      }
    }
  }
}

struct SessionState {
  std::set<std::uint64_t> unconfirmed;
  std::set<std::string> joining;
  std::set<std::string> leaving;
  std::map<std::string, const ViewEvent*> views;
};

SessionState replay(const SessionRecord& session) {
  SessionState state;
  for (const SessionEvent& event : session.events) {
    if (const auto* publish = std::get_if<Published>(&event.what)) {
      if (publish->confirm) state.unconfirmed.insert(publish->ticket);
    } else if (const auto* confirm = std::get_if<ConfirmEvent>(&event.what)) {
      state.unconfirmed.erase(confirm->ticket);
    } else if (const auto* refused = std::get_if<Refused>(&event.what)) {
      state.unconfirmed.erase(refused->about);
      state.joining.erase(refused->subject);
      state.leaving.erase(refused->subject);
    } else if (const auto* join = std::get_if<AskedJoin>(&event.what)) {
      state.joining.insert(join->group);
    } else if (const auto* leave = std::get_if<AskedLeave>(&event.what)) {
      state.leaving.insert(leave->group);
    } else if (const auto* view = std::get_if<ViewEvent>(&event.what)) {
      state.joining.erase(view->group);
      state.views[view->group] = view;
    } else if (const auto* left = std::get_if<LeftEvent>(&event.what)) {
      state.leaving.erase(left->group);
      state.views.erase(left->group);
    }
  }
  return state;
}

class SessionLiveness {
 public:
  SessionLiveness(const History& history, Report& report) : history_(history), report_(report) {}

  void run() {
    for (const SessionRecord& session : history_.sessions) {
      if (session.end != SessionEnd::open || session.name.empty()) continue;
      states_.emplace_back(&session, replay(session));
    }
    for (const auto& [session, state] : states_) {
      for (const auto& [group, view] : state.views) {
        expected_[group].insert({session->node, session->name});
      }
    }
    for (const auto& [session, state] : states_) {
      check(*session, state);
    }
  }

 private:
  void check(const SessionRecord& session, const SessionState& state) {
    const std::string who =
        "client " + std::to_string(session.client) + " " + to_string(session.member());
    if (!state.unconfirmed.empty()) {
      report_.fail(
          "L3",
          who + " still waits for " + std::to_string(state.unconfirmed.size()) +
              " confirmations, first " + std::to_string(*state.unconfirmed.begin()));
    }
    for (const std::string& group : state.joining) {
      report_.fail("L3", who + " still waits for its join of " + group);
    }
    for (const std::string& group : state.leaving) {
      report_.fail("L3", who + " still waits for its leave of " + group);
    }
    for (const auto& [group, view] : state.views) {
      std::set<Name> members;
      for (const Member& member : view->members) {
        members.insert({member.node, member.name});
      }
      for (const Name& name : members) {
        if (!expected_[group].contains(name)) {
          report_.fail(
              "G9",
              who + " ends with #" + name.second + "#" + history_.name_of(name.first) + " in " +
                  group + ", who is not there any more");
        }
      }
      for (const Name& name : expected_[group]) {
        if (!members.contains(name)) {
          report_.fail(
              "G10",
              who + " ends without #" + name.second + "#" + history_.name_of(name.first) + " in " +
                  group);
        }
      }
    }
  }

  const History& history_;
  Report& report_;
  std::vector<std::pair<const SessionRecord*, SessionState>> states_;
  std::map<std::string, std::set<Name>> expected_;
};

}  // namespace

void check_liveness(const Timeline& timeline, Report& report) {
  check_termination(timeline, report);
  if (!timeline.history.settled) return;
  check_final_agreement(timeline, report);
  check_one_configuration(timeline, report);
  SessionLiveness{timeline.history, report}.run();
}

}  // namespace ringcast::sim
