// SPDX-License-Identifier: Apache-2.0
//
// E26 nothing of a ring is delivered by a run of a daemon that was no member of it.
// E27 nothing passes from one run of a daemon to another: what a run delivers was originated
//     after its start, and a message goes out from the very run its client was connected to.
// G15 two live sessions of a daemon never share a name, and each has a number of its own.
#include <algorithm>
#include <unordered_map>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

struct Origin {
  ProcessIndex process{0};
  Instant time;
};
using Origins = std::map<std::pair<RingId, Seq>, Origin>;

Origins collect_origins(const History& history) {
  Origins origins;
  for (ProcessIndex p = 0; p < history.processes.size(); ++p) {
    for (const ProcessEvent& event : history.processes[p].events) {
      const auto* const what = std::get_if<Originated>(&event.what);
      if (what == nullptr) continue;
      origins.try_emplace({what->ring, what->seq}, Origin{.process = p, .time = event.time});
    }
  }
  return origins;
}

class IsolationCheck {
 public:
  IsolationCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline),
        history_(timeline.history),
        report_(report),
        origins_(collect_origins(timeline.history)) {}

  void run() {
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      check_names(p);
      for (const Epoch& epoch : timeline_.epochs[p]) {
        for (const Delivered* delivered : epoch.deliveries) {
          check(p, *delivered);
        }
      }
    }
  }

 private:
  void check(ProcessIndex p, const Delivered& delivered) {
    const Process& process = history_.processes[p];
    const auto what = [&] {
      return timeline_.who(p) + " delivered " + history_.describe(delivered.message);
    };
    const auto ring = timeline_.regular.find(delivered.label.ring);
    if (ring != timeline_.regular.end()) {
      const auto& members = ring->second->members;
      const NodeKey self{.node = process.node, .boot = process.boot};
      if (std::find(members.begin(), members.end(), self) == members.end()) {
        report_.fail("E26", what() + ", of a ring it was not in");
      }
    }
    const auto origin = origins_.find({delivered.label.ring, delivered.label.seq});
    if (origin == origins_.end()) return;  // E1 tells
    if (origin->second.time < process.started) {
      report_.fail("E27", what() + ", which was originated before it started");
    }
    const Published* const publish =
        timeline_.publish_of(history_.messages[delivered.message].payload);
    if (publish == nullptr) return;
    const std::optional<ProcessIndex> served = history_.session(publish->id.client).process;
    if (served && *served != origin->second.process) {
      report_.fail(
          "E27",
          what() + ", published at " + timeline_.who(*served) + " and originated by " +
              timeline_.who(origin->second.process));
    }
  }

  void check_names(ProcessIndex p) {
    std::map<std::string, SessionId> live;
    std::unordered_map<std::uint64_t, std::string> names;
    for (const SessionChange& change : history_.processes[p].sessions) {
      if (!change.opened) {
        const auto at = names.find(change.session.value);
        if (at != names.end()) live.erase(at->second);
        continue;
      }
      const auto [at, fresh] = live.try_emplace(change.name, change.session);
      if (!fresh) {
        report_.fail(
            "G15",
            timeline_.who(p) + " serves two sessions named " + change.name + ", " +
                std::to_string(at->second.value) + " and " + std::to_string(change.session.value));
      }
      if (!names.try_emplace(change.session.value, change.name).second) {
        report_.fail(
            "G15",
            timeline_.who(p) + " gave number " + std::to_string(change.session.value) +
                " to two sessions");
      }
    }
  }

  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  Origins origins_;
};

}  // namespace

void check_isolation(const Timeline& timeline, Report& report) {
  IsolationCheck{timeline, report}.run();
}

}  // namespace ringcast::sim
