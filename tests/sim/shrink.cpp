// SPDX-License-Identifier: Apache-2.0
#include "sim/shrink.hpp"

#include <utility>

namespace ringcast::sim {

namespace {

using std::chrono::milliseconds;

class Shrinker {
 public:
  Shrinker(Story story, const std::function<bool(const Story&)>& fails, const ShrinkLimits& limits)
      : story_(std::move(story)), fails_(fails), limits_(limits) {}

  /// One after the other, and again as long as one of them still finds something.
  Shrunk run(std::size_t nodes, std::size_t clients) {
    nodes_ = nodes;
    clients_ = clients;
    bool smaller = true;
    while (smaller && runs_ < limits_.runs_max) {
      smaller = false;
      smaller |= fewer_operations();
      smaller |= fewer_nodes();
      smaller |= fewer_classes();
      smaller |= fewer_clients();
      smaller |= shorter();
    }
    return {.story = std::move(story_), .runs = runs_};
  }

 private:
  /// Keeps `candidate` when it fails too.
  bool accept(Story candidate) {
    if (runs_ >= limits_.runs_max) return false;
    ++runs_;
    if (!fails_(candidate)) return false;
    story_ = std::move(candidate);
    return true;
  }

  bool fewer_operations() {
    if (!story_.options.overrides.schedule) return false;
    const std::vector<Injection> before = *story_.options.overrides.schedule;
    minimise(before, [&](const std::vector<Injection>& rest) {
      Story candidate = story_;
      candidate.options.overrides.schedule = rest;
      return accept(std::move(candidate));
    });
    return story_.options.overrides.schedule->size() < before.size();
  }

  bool fewer_nodes() {
    bool smaller = false;
    for (std::size_t count = 1; count < nodes_; ++count) {
      Story candidate = story_;
      candidate.options.overrides.nodes = count;
      if (!accept(std::move(candidate))) continue;
      nodes_ = count;
      smaller = true;
    }
    return smaller;
  }

  bool fewer_classes() {
    std::set<Fault> on = story_.options.overrides.faults.value_or(std::set<Fault>{});
    if (!story_.options.overrides.faults) {
      const std::vector<Fault>& all = find_plan(story_.options.plan)->faults;
      on = std::set<Fault>(all.begin(), all.end());
    }
    bool smaller = false;
    for (const Fault fault : std::set<Fault>{on}) {
      Story candidate = story_;
      candidate.options.overrides.faults = on;
      candidate.options.overrides.faults->erase(fault);
      if (!accept(std::move(candidate))) continue;
      on.erase(fault);
      smaller = true;
    }
    return smaller;
  }

  bool fewer_clients() {
    bool smaller = false;
    std::size_t count = 0;
    while (count < clients_) {
      Story candidate = story_;
      candidate.options.overrides.clients = count;
      if (accept(std::move(candidate))) {
        clients_ = count;
        smaller = true;
      }
      count = count == 0 ? 1 : count * 2;
    }
    return smaller;
  }

  bool shorter() {
    if (!story_.options.overrides.fault_phase) return false;
    bool smaller = false;
    while (*story_.options.overrides.fault_phase > milliseconds{1}) {
      Story candidate = story_;
      *candidate.options.overrides.fault_phase /= 2;
      if (!accept(std::move(candidate))) break;
      smaller = true;
    }
    return smaller;
  }

  Story story_;
  const std::function<bool(const Story&)>& fails_;
  ShrinkLimits limits_;
  std::size_t nodes_{0};
  std::size_t clients_{0};
  std::size_t runs_{0};
};

}  // namespace

Shrunk shrink(
    Story story,
    std::size_t nodes,
    std::size_t clients,
    const std::function<bool(const Story&)>& fails,
    const ShrinkLimits& limits) {
  return Shrinker{std::move(story), fails, limits}.run(nodes, clients);
}

}  // namespace ringcast::sim
