// SPDX-License-Identifier: Apache-2.0
#include "sim/partial.hpp"

#include <algorithm>
#include <set>

namespace ringcast::sim {

namespace {

constexpr int rounds_max = 3;
/// Packets sent before a link was cut may still arrive, and what they said is believed a while.
constexpr Duration grace = std::chrono::milliseconds{300};

}  // namespace

PartialOptions draw_partial(std::size_t hosts, Random random) {
  PartialOptions options;
  const std::size_t links = hosts * (hosts - 1);
  const std::size_t most = hosts <= 3 ? std::min<std::size_t>(2, links) : links / 3;
  const std::size_t count = random.between(1, most);
  std::set<std::pair<std::size_t, std::size_t>> cuts;
  while (cuts.size() < count) {
    const std::size_t from = random.below(hosts);
    const std::size_t to = random.below(hosts);
    if (from != to) cuts.emplace(from, to);
  }
  options.cuts.assign(cuts.begin(), cuts.end());
  // Nobody, some or all start anew under the cuts.
  const std::uint64_t share = random.below(3);
  for (std::size_t host = 0; host < hosts; ++host) {
    if (share == 2 || (share == 1 && random.chance(0.3))) options.restarts.push_back(host);
  }
  return options;
}

std::string describe(const PartialOptions& options) {
  std::string text = "cut for good:";
  for (const auto& [from, to] : options.cuts) {
    text += " d" + std::to_string(from) + "->d" + std::to_string(to);
  }
  if (!options.restarts.empty()) text += ", restarted:";
  for (const std::size_t host : options.restarts) {
    text += " d" + std::to_string(host);
  }
  return text;
}

Instant PartialPhase::begin() {
  for (const auto& [from, to] : options_.cuts) {
    cluster_.network().link(from, to).blocked = true;
  }
  Duration last{0};
  for (const std::size_t host : options_.restarts) {
    cluster_.crash(host);
    const Duration delay = std::chrono::milliseconds{static_cast<Duration::rep>(37 * (host + 1))};
    last = std::max(last, delay);
    cluster_.after(delay, [this, host] {
      if (!cluster_.is_up(host)) cluster_.start(host);
    });
  }
  const RingConfig& ring = cluster_.config().ring;
  begun_ = cluster_.now() + last;
  // Who merges waits for ways to open that stay closed, one time after the other. [MBR-11]
  const Duration patience = 2 * ways_open;
  at_rest_ = begun_ + ring.fail_to_receive + rounds_max * (ring.token_loss + ring.consensus) +
             (rounds_max - 1) * patience;
  end_ = at_rest_ + options_.watch;
  return end_;
}

bool PartialPhase::is_linked(NodeId a, NodeId b) const {
  const auto host_of = [this](NodeId node) {
    std::size_t host = 0;
    while (node_id(cluster_.name(host)) != node) {
      ++host;
    }
    return host;
  };
  const std::size_t from = host_of(a);
  const std::size_t to = host_of(b);
  return std::none_of(options_.cuts.begin(), options_.cuts.end(), [&](const auto& cut) {
    return cut == std::pair{from, to} || cut == std::pair{to, from};
  });
}

void PartialPhase::judge(Report& report) const {
  const History& history = recorder_.history;
  for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
    const Node* node = cluster_.node(host);
    const std::string state = node == nullptr ? "down" : node->status(cluster_.now()).state;
    if (state == "operational") continue;
    report.fail(
        "L5", cluster_.name(host) + " is " + state + " long after the links were cut for good");
  }
  for (ProcessIndex p = 0; p < history.processes.size(); ++p) {
    for (const ProcessEvent& event : history.processes[p].events) {
      const auto* change = std::get_if<Installed>(&event.what);
      if (change == nullptr || change->kind != ConfigurationChange::Kind::regular) continue;
      if (event.time < begun_ + grace || event.time > end_) continue;
      judge_install(p, *change, report);
      if (event.time < at_rest_) continue;
      report.fail(
          "L5",
          history.describe_process(p) + " installed " + history.show(change->id) + " at " +
              show(event.time) + " though nothing changed since " + show(begun_));
    }
  }
}

void PartialPhase::judge_install(
    ProcessIndex process, const Installed& change, Report& report) const {
  for (const NodeKey& a : change.members) {
    for (const NodeKey& b : change.members) {
      if (!(a < b) || is_linked(a.node, b.node)) continue;
      report.fail(
          "L5",
          recorder_.history.describe_process(process) + " installed " +
              recorder_.history.show(change.id) + " with " + recorder_.history.name_of(a.node) +
              " and " + recorder_.history.name_of(b.node) + ", which do not hear each other");
    }
  }
}

}  // namespace ringcast::sim
