// SPDX-License-Identifier: Apache-2.0
//
// E9 everything that was delivered or installed anywhere fits one global order: the graph of
// "came directly before, at some daemon" over messages and configurations has no cycle of any
// length. Kahn's algorithm; what is left over contains the cycle that is reported.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

namespace {

class Graph {
 public:
  explicit Graph(const Timeline& timeline) : timeline_(timeline) {
    std::map<NodeId, std::optional<std::size_t>> last_of;  // a daemon keeps its identity
    for (ProcessIndex p = 0; p < timeline.epochs.size(); ++p) {
      std::optional<std::size_t>& last = last_of[timeline.history.processes[p].node];
      for (const Epoch& epoch : timeline.epochs[p]) {
        if (epoch.configuration != nullptr) link(last, configuration_vertex(*epoch.configuration));
        for (const Delivered* delivered : epoch.deliveries) {
          link(last, message_vertex(delivered->message));
        }
      }
    }
  }

  /// A cycle, or nothing.
  std::vector<std::size_t> find_cycle() const {
    std::vector<std::size_t> incoming(next_.size(), 0);
    for (const auto& targets : next_) {
      for (const std::size_t target : targets) {
        ++incoming[target];
      }
    }
    std::vector<std::size_t> ready;
    for (std::size_t v = 0; v < next_.size(); ++v) {
      if (incoming[v] == 0) ready.push_back(v);
    }
    std::size_t sorted = 0;
    while (!ready.empty()) {
      const std::size_t v = ready.back();
      ready.pop_back();
      ++sorted;
      for (const std::size_t target : next_[v]) {
        if (--incoming[target] == 0) ready.push_back(target);
      }
    }
    if (sorted == next_.size()) return {};
    return walk_back(incoming);
  }

  std::string name(std::size_t vertex) const { return names_[vertex]; }

 private:
  /// Every leftover vertex has a leftover predecessor, so walking back must meet itself.
  std::vector<std::size_t> walk_back(const std::vector<std::size_t>& incoming) const {
    std::vector<std::optional<std::size_t>> before(next_.size());
    std::size_t at = next_.size();
    for (std::size_t v = 0; v < next_.size(); ++v) {
      if (incoming[v] == 0) continue;
      at = v;
      for (const std::size_t target : next_[v]) {
        before[target] = v;
      }
    }
    std::set<std::size_t> seen;
    while (seen.insert(at).second) {
      at = *before[at];
    }
    std::vector<std::size_t> cycle{at};
    for (std::size_t v = *before[at]; v != at; v = *before[v]) {
      cycle.push_back(v);
    }
    std::reverse(cycle.begin(), cycle.end());
    return cycle;
  }

  void link(std::optional<std::size_t>& last, std::size_t vertex) {
    if (last && *last != vertex) next_[*last].insert(vertex);
    last = vertex;
  }

  std::size_t add(std::string name) {
    next_.emplace_back();
    names_.push_back(std::move(name));
    return next_.size() - 1;
  }

  std::size_t message_vertex(MessageIndex message) {
    const auto [at, fresh] = messages_.try_emplace(message, 0);
    if (fresh) at->second = add(timeline_.history.describe(message));
    return at->second;
  }

  std::size_t configuration_vertex(const Installed& change) {
    const bool transitional = change.kind == ConfigurationChange::Kind::transitional;
    const std::pair key{transitional ? change.previous : RingId{}, change.id};
    const auto [at, fresh] = configurations_.try_emplace(key, 0);
    if (fresh) {
      const History& history = timeline_.history;
      at->second =
          add((transitional ? history.show(change.previous) + "~" : std::string{}) +
              history.show(change.id));
    }
    return at->second;
  }

  const Timeline& timeline_;
  std::vector<std::set<std::size_t>> next_;
  std::vector<std::string> names_;
  std::unordered_map<MessageIndex, std::size_t> messages_;
  std::map<std::pair<RingId, RingId>, std::size_t> configurations_;
};

}  // namespace

void check_acyclic(const Timeline& timeline, Report& report) {
  const Graph graph{timeline};
  const std::vector<std::size_t> cycle = graph.find_cycle();
  if (cycle.empty()) return;
  std::string text = "events in a cycle of " + std::to_string(cycle.size()) + ":";
  for (std::size_t i = 0; i < std::min<std::size_t>(cycle.size(), 8); ++i) {
    text += "\n      " + graph.name(cycle[i]);
  }
  report.fail("E9", text);
}

}  // namespace ringcast::sim
