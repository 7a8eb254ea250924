// SPDX-License-Identifier: Apache-2.0
//
// P7 the states of a daemon follow one another only as docs/protocol.md says.
// E30 every installation has a recorded trigger: its daemon left the configuration before for a
//     stated reason, and when that was only that another member had left it, then some member
//     had one of its own. So a ring that falls apart by hearsay, or for nothing, fails.
#include <algorithm>
#include <array>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

struct Edge {
  std::string_view from;
  std::string_view to;
};
constexpr std::array edges = {
    Edge{.from = "starting", .to = "operational"},
    Edge{.from = "operational", .to = "gather"},
    Edge{.from = "gather", .to = "gather"},
    Edge{.from = "gather", .to = "commit"},
    Edge{.from = "gather", .to = "operational"},  // found nobody, and was alone before
    Edge{.from = "commit", .to = "recovery"},
    Edge{.from = "commit", .to = "gather"},
    Edge{.from = "recovery", .to = "operational"},
    Edge{.from = "recovery", .to = "gather"},
};

bool is_edge(const Entered& entered) {
  if (entered.to == "stopped") return entered.from != "stopped";
  return std::any_of(edges.begin(), edges.end(), [&](const Edge& edge) {
    return edge.from == entered.from && edge.to == entered.to;
  });
}

/// Why a daemon gives a ring up, in the words of its trace.
constexpr std::array<std::string_view, 12> own_reasons = {
    "token lost",
    "no commit token came",
    "commit token lost",
    "token lost in recovery",
    "a member leaves",
    "a member left while the ring was formed",
    "a member was restarted",
    "a member knows more than the commit token",
    "an outsider wants to join",
    "another ring is in reach",
    "a member receives nothing any more",
    "the ring's packet numbers run out"};
constexpr std::array<std::string_view, 2> hearsay = {
    "a member gathers", "a member went back to gather"};

template <std::size_t count>
bool is_among(const std::array<std::string_view, count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class StateCheck {
 public:
  StateCheck(const Timeline& timeline, Report& report)
      : timeline_(timeline), history_(timeline.history), report_(report) {
    for (ProcessIndex p = 0; p < history_.processes.size(); ++p) {
      check_edges(p);
      collect(p);
    }
  }

  void run() {
    if (departures_.empty()) return;  // a hand-written story that leaves states out
    for (ProcessIndex p = 0; p < timeline_.epochs.size(); ++p) {
      for (const Epoch& epoch : timeline_.epochs[p]) {
        if (epoch.configuration == nullptr || epoch.transitional()) continue;
        if (epoch.configuration->previous.seq != 0) check_trigger(p, epoch);
      }
    }
  }

 private:
  void check_edges(ProcessIndex p) {
    std::string state = "starting";
    for (const ProcessEvent& event : history_.processes[p].events) {
      const auto* const entered = std::get_if<Entered>(&event.what);
      if (entered == nullptr) continue;
      if (!is_edge(*entered) || entered->from != state) {
        report_.fail(
            "P7",
            timeline_.who(p) + " went from " + entered->from + " to " + entered->to + " at " +
                show(event.time) + ", it was in " + state);
      }
      state = entered->to;
    }
  }

  /// The reason why each run gave up each ring it had helped to form.
  void collect(ProcessIndex p) {
    std::optional<RingId> ring;
    for (const ProcessEvent& event : history_.processes[p].events) {
      const auto* const entered = std::get_if<Entered>(&event.what);
      if (entered == nullptr) continue;
      if (entered->to != "gather") {
        ring = entered->ring;
      } else if (ring) {
        departures_[*ring].try_emplace(p, entered->reason);
        ring.reset();
      }
    }
  }

  void check_trigger(ProcessIndex p, const Epoch& epoch) {
    const RingId& left = epoch.configuration->previous;
    const std::string what =
        timeline_.who(p) + " installed " + timeline_.show(epoch) + " after " + history_.show(left);
    const auto of_ring = departures_.find(left);
    const auto mine =
        of_ring == departures_.end() ? Reasons::const_iterator{} : of_ring->second.find(p);
    if (of_ring == departures_.end() || mine == of_ring->second.end()) {
      report_.fail("E30", what + " without having left that");
      return;
    }
    if (is_among(own_reasons, mine->second)) return;
    if (!is_among(hearsay, mine->second)) {
      report_.fail("E30", what + " because of \"" + mine->second + "\", which is no reason");
      return;
    }
    const bool has_cause =
        std::any_of(of_ring->second.begin(), of_ring->second.end(), [](const auto& departure) {
          return is_among(own_reasons, departure.second);
        });
    if (!has_cause) report_.fail("E30", what + ", which all members left by hearsay");
  }

  using Reasons = std::map<ProcessIndex, std::string>;
  const Timeline& timeline_;
  const History& history_;
  Report& report_;
  std::map<RingId, Reasons> departures_;
};

}  // namespace

void check_states(const Timeline& timeline, Report& report) { StateCheck{timeline, report}.run(); }

}  // namespace ringcast::sim
