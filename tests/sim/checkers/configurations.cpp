// SPDX-License-Identifier: Apache-2.0
//
// E4 a process is in one configuration at a time, first in {itself}.
// E5 it is a member of every configuration it installs.
// E6 one id, one configuration: same kind, members and, for a transitional one, the same
//    regular one before; the same process never installs an id twice.
// E7 regular and transitional installs alternate; who came along is in the transitional one.
// E8 ids grow along a process, across restarts too while its storage is kept.
#include <algorithm>
#include <set>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

using Pair = std::pair<RingId, RingId>;  // previous, next

bool holds(const std::vector<NodeKey>& members, const NodeKey& key) {
  return std::find(members.begin(), members.end(), key) != members.end();
}

class ConfigurationCheck {
 public:
  ConfigurationCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline), history_(timeline.history), report_(report) {}

  void run() {
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      check_process(p);
    }
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      check_company(p);
    }
    check_across_restarts();
  }

 private:
  NodeKey key_of(ProcessIndex p) const {
    return {.node = history_.processes[p].node, .boot = history_.processes[p].boot};
  }

  void check_process(ProcessIndex p) {
    const std::vector<Epoch>& epochs = timeline_.epochs[p];
    std::set<RingId> installed;
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const Epoch& epoch = epochs[i];
      const std::string who = timeline_.who(p) + " installed " + timeline_.show(epoch);
      if (epoch.configuration == nullptr) {
        report_.fail("E4", timeline_.who(p) + " delivered before it installed anything");
        continue;
      }
      const Installed& change = *epoch.configuration;
      if (!holds(change.members, key_of(p))) report_.fail("E5", who + " without being a member");
      check_table(who, change);
      if (!epoch.transitional() && !installed.insert(change.id).second) {
        report_.fail("E6", who + " twice");
      }
      if (i == 0) {
        check_first(who, change);
      } else if (epochs[i - 1].configuration != nullptr) {
        check_step(who, *epochs[i - 1].configuration, change);
      }
    }
  }

  void check_first(const std::string& who, const Installed& change) {
    if (change.kind != ConfigurationChange::Kind::regular || change.members.size() != 1) {
      report_.fail("E4", who + " first; its first must be itself alone");
    }
  }

  void check_table(const std::string& who, const Installed& change) {
    if (!std::is_sorted(change.members.begin(), change.members.end())) {
      report_.fail("E6", who + " with members out of ring order");
    }
    const bool transitional = change.kind == ConfigurationChange::Kind::transitional;
    const Pair key{transitional ? change.previous : RingId{}, change.id};
    const auto [at, fresh] = members_.try_emplace(key, &change.members);
    if (!fresh && *at->second != change.members) {
      report_.fail("E6", who + " with other members than another process saw");
    }
  }

  void check_step(const std::string& who, const Installed& before, const Installed& change) {
    using Kind = ConfigurationChange::Kind;
    if (before.kind == change.kind) {
      report_.fail("E7", who + " directly after one of the same kind");
      return;
    }
    if (change.kind == Kind::transitional) {
      if (change.previous != before.id) {
        report_.fail("E7", who + " after " + history_.show(before.id));
      }
      for (const NodeKey& key : change.members) {
        if (!holds(before.members, key)) {
          report_.fail("E7", who + " with a member that was not in the configuration before");
        }
      }
      return;
    }
    if (change.id != before.id || change.previous != before.previous) {
      report_.fail("E7", who + " after a transitional one that leads elsewhere");
    }
    if (!(before.previous < change.id)) report_.fail("E8", who + " after a newer one");
    for (const NodeKey& key : before.members) {
      if (!holds(change.members, key)) {
        report_.fail("E7", who + " without a member of the transitional one before");
      }
    }
  }

  /// Everyone who went from R1 to R2 is in the transitional configuration of all who did.
  void check_company(ProcessIndex p) {
    for (const Epoch& epoch : timeline_.epochs[p]) {
      if (epoch.configuration == nullptr || epoch.transitional()) continue;
      if (epoch.configuration->previous.seq == 0) continue;
      const Pair key{epoch.configuration->previous, epoch.configuration->id};
      const auto at = members_.find(key);
      if (at != members_.end() && !holds(*at->second, key_of(p))) {
        report_.fail(
            "E7",
            timeline_.who(p) + " went from " + history_.show(key.first) + " to " +
                history_.show(key.second) + " outside the transitional one");
      }
    }
  }

  void check_across_restarts() {
    std::map<NodeId, RingId> newest;
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      const Process& process = history_.processes[p];
      if (process.storage != Storage::kept) newest[process.node] = RingId{};
      for (const Epoch& epoch : timeline_.epochs[p]) {
        if (epoch.configuration == nullptr || epoch.transitional()) continue;
        RingId& last = newest[process.node];
        if (!(last < epoch.configuration->id)) {
          report_.fail(
              "E8",
              timeline_.who(p) + " installed " + timeline_.show(epoch) + " though it had been in " +
                  history_.show(last));
        }
        last = epoch.configuration->id;
      }
    }
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  std::map<Pair, const std::vector<NodeKey>*> members_;
};

}  // namespace

void check_configurations(const Timeline& timeline, Report& report) {
  ConfigurationCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
