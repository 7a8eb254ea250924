// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "protocol/base/assert.hpp"
#include "protocol/wire/codec.hpp"
#include "sim/arrow.hpp"
#include "sim/calm.hpp"
#include "sim/checkers/checkers.hpp"
#include "sim/oracle/oracle.hpp"
#include "sim/recorder.hpp"

namespace ringcast::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

class Simulation {
 public:
  Simulation(const Scenario& scenario, const RunOptions& options)
      : scenario_(scenario),
        options_(options),
        random_(options.seed),
        network_(scenario_.cluster.names.size(), random_.fork()),
        recorder_(scenario_.cluster.names),
        cluster_(scenario_.cluster, network_, recorder_, random_.fork()),
        workload_(cluster_, recorder_, scenario_.workload, random_.fork()),
        faults_(cluster_, recorder_, scenario_.faults, random_.fork()),
        oracle_(cluster_, recorder_.history) {
    recorder_.attach(cluster_);
    recorder_.set_oracle(&oracle_);
    recorder_.verbose = options.verbose;
    network_.set_tap(
        [this](Instant now, std::size_t from, std::size_t to, const BufferRef& bytes, Fate fate) {
          if (options_.packets) {
            std::printf(
                "%s\n", arrow(scenario_.cluster.names.size(), now, from, to, bytes, fate).c_str());
          }
          // A packet ends in a hash of all of it.
          const auto tag = bytes.bytes().last(std::min(bytes.size(), tag_bytes));
          recorder_.mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
          recorder_.mix(
              content_hash(tag) ^ (from * 31U + to * 7U + static_cast<std::uint64_t>(fate)));
          oracle_.on_packet(from, bytes);
        });
  }

  RunResult run() {
    const Instant begin = cluster_.now();
    RunResult result;
    result.scenario = scenario_.describe();
    result.nodes = scenario_.cluster.names.size();
    result.clients = scenario_.workload.clients;
    result.fault_phase = scenario_.fault_phase;
    for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
      cluster_.after(random_.between(Duration{0}, Duration{milliseconds{300}}), [this, host] {
        if (!cluster_.is_up(host)) cluster_.start(host);
      });
    }
    workload_.start();
    faults_.start();
    if (options_.on_injection) tell_injections();
    run_until(begin + scenario_.fault_phase);
    if (scenario_.partial) cut_links(result);
    heal(result);
    settle(result);
    finish(result, begin);
    return result;
  }

 private:
  void run_until(Instant limit) {
    while (cluster_.livelock().empty() && cluster_.step(limit)) {
      if (options_.on_injection) tell_injections();
    }
  }

  /// L5
  void cut_links(RunResult& result) {
    faults_.stop();
    run_until(cluster_.now() + seconds{2});
    PartialPhase phase{cluster_, recorder_, *scenario_.partial};
    if (recorder_.verbose) std::printf("%12s  ---- cut\n", show(cluster_.now()).c_str());
    run_until(phase.begin());
    phase.judge(result.report);
  }

  void tell_injections() {
    for (; told_ < faults_.injections().size(); ++told_) {
      options_.on_injection(faults_.injections()[told_]);
    }
  }

  void heal(RunResult& result) {
    const bool split = !common_configuration();
    faults_.stop();
    recorder_.history.healed = cluster_.now();
    if (recorder_.verbose) std::printf("%12s  ---- healed\n", show(cluster_.now()).c_str());
    if (scenario_.merge_max && split) merge(result);
    run_until(cluster_.now() + scenario_.load_after_heal);
    workload_.stop();
    // A daemon that was leaving when the faults ended comes back like all others.
    for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
      restart_when_gone(host);
    }
  }

  /// The load goes on meanwhile.
  void merge(RunResult& result) {
    const Instant healed = cluster_.now();
    const Instant limit = healed + *scenario_.merge_max;
    while (!common_configuration() && cluster_.now() < limit && cluster_.livelock().empty()) {
      run_until(std::min(limit, cluster_.now() + milliseconds{5}));
    }
    if (!common_configuration()) {
      result.report.fail(
          "L4",
          "two halves that hear each other again since " + show(healed) + " have not merged by " +
              show(limit));
      return;
    }
    ++result.counts[scenario_.workload.clients == 0 ? "merged idle" : "merged under load"];
  }

  void restart_when_gone(std::size_t host) {
    if (!cluster_.is_up(host)) {
      cluster_.start(host);
    } else if (cluster_.is_leaving(host)) {
      cluster_.after(milliseconds{50}, [this, host] { restart_when_gone(host); });
    }
  }

  /// Waits for rest, then demands calm. What is missing is a violation of L1, L2 or L3.
  void settle(RunResult& result) {
    const Instant healed = recorder_.history.healed;
    if (!come_to_rest(healed, result)) return;
    result.settled_after = cluster_.now() - healed;
    // What was done before may still tell: that a token was lost shows when a member has seen none
    // for its time, which differs by half; and a copy may be seconds late, from a run that ended.
    const Instant over = std::max(
        cluster_.network().stragglers_until(), healed + 2 * scenario_.cluster.ring.token_loss);
    if (cluster_.now() < over) {
      run_until(over);
      if (!come_to_rest(over, result)) return;
    }
    const Instant rest = cluster_.now();
    run_until(rest + scenario_.calm);
    if (recorder_.last_change() > rest) {
      result.report.fail(
          "L2",
          "a configuration changed at " + show(recorder_.last_change()) +
              " though nothing had been wrong since " + show(over));
    }
    const auto missing = what_is_missing();
    if (!missing.empty()) result.report.fail("L2", "did not stay at rest: " + missing);
    recorder_.history.settled = result.report.ok();
  }

  /// False, and a violation of L1 or L3, when the time for it that begins at `since` is over.
  bool come_to_rest(Instant since, RunResult& result) {
    std::string missing = "everything";
    Instant limit = since + scenario_.settle_max;
    std::size_t delivered = recorder_.history.payloads();
    while (cluster_.now() < limit && cluster_.livelock().empty()) {
      run_until(cluster_.now() + milliseconds{20});
      missing = what_is_missing();
      if (missing.empty()) break;
      // Nobody asks for more, so as long as something new is delivered the end will come.
      if (recorder_.history.payloads() > delivered && missing.starts_with("client")) {
        delivered = recorder_.history.payloads();
        limit = std::max(limit, cluster_.now() + scenario_.progress_within);
      }
    }
    if (missing.empty()) return true;
    result.report.fail(
        missing.starts_with("client") ? "L3" : "L1",
        "not at rest " + show(Instant{cluster_.now() - since}) +
            " after the faults ended: " + missing);
    return false;
  }

  /// The regular configuration that all daemons are in, if it is one and has all of them.
  std::optional<ConfigurationId> common_configuration() const {
    std::optional<ConfigurationId> common;
    for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
      const Node* node = cluster_.node(host);
      if (node == nullptr) return std::nullopt;
      const NodeStatus status = node->status(cluster_.now());
      if (status.state != "operational") return std::nullopt;
      if (status.configuration.daemons.size() != cluster_.hosts()) return std::nullopt;
      if (!common) common = status.configuration.id;
      if (*common != status.configuration.id) return std::nullopt;
    }
    return common;
  }

  std::string what_is_missing() const {
    std::optional<ConfigurationId> common;
    for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
      const Node* node = cluster_.node(host);
      if (node == nullptr) return cluster_.name(host) + " is down";
      if (cluster_.is_leaving(host)) return cluster_.name(host) + " is leaving";
      const NodeStatus status = node->status(cluster_.now());
      if (status.state != "operational") return cluster_.name(host) + " is in " + status.state;
      if (status.configuration.daemons.size() != cluster_.hosts()) {
        return cluster_.name(host) + " is in a configuration of " +
               std::to_string(status.configuration.daemons.size());
      }
      if (!common) common = status.configuration.id;
      if (*common != status.configuration.id) return "two configurations";
    }
    if (const std::string client = workload_.first_unquiet(); !client.empty()) return client;
    // What clients asked for who have gone since is on its way, too.
    for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
      const Inspection now = cluster_.node(host)->inspect();
      if (now.queued_bytes == 0 && now.current->delivered == now.current->high) continue;
      return "clients' messages are under way at " + cluster_.name(host);
    }
    return {};
  }

  void finish(RunResult& result, Instant begin) {
    History& history = recorder_.history;
    history.finished = cluster_.now();
    history.patience = patience();
    history.message_bytes_max = scenario_.cluster.ring.message_bytes_max;
    if (!cluster_.livelock().empty()) result.report.fail("P10", cluster_.livelock());
    result.report.add(oracle_.report());
    check_all(history, result.report);
    result.hash = recorder_.hash();
    result.simulated = cluster_.now() - begin;
    result.calm = scenario_.spurious_per_hour_max.has_value();
    if (scenario_.spurious_per_hour_max) judge_calm(result, begin);
    result.injections = faults_.injections();
    recorder_.add_to(result.counts);
    cluster_.input_table().add_to(result.counts);
    result.counts["packets sent"] = network_.counts().sent;
    result.counts["packets lost"] = network_.counts().lost + network_.counts().blocked;
    result.counts["packets corrupted"] = network_.counts().corrupted;
    result.counts["packets duplicated"] = network_.counts().duplicated;
    result.counts["packets overflowed"] = cluster_.counts().packets_overflowed;
    result.counts["inputs"] = cluster_.counts().inputs;
    result.counts["crashes"] = cluster_.counts().crashes;
    result.counts["restarts"] = cluster_.counts().restarts;
    result.counts["pauses"] = cluster_.counts().pauses;
    result.counts["leaves"] = cluster_.counts().leaves;
    result.counts["published"] = workload_.published();
    faults_.add_evidence(result.counts);
    count_nodes(result);
    for (const SessionRecord& session : history.sessions) {
      ++result.counts["sessions"];
      if (session.end == SessionEnd::closed) ++result.counts["sessions closed with a reason"];
      for (const SessionEvent& event : session.events) {
        if (std::holds_alternative<Received>(event.what)) ++result.counts["received by clients"];
        if (std::holds_alternative<ViewEvent>(event.what)) ++result.counts["views"];
        if (std::holds_alternative<Refused>(event.what)) ++result.counts["refusals"];
      }
    }
  }

  /// L1's bound: each round of gather fails one more daemon, or takes one in.
  Duration patience() const {
    const RingConfig& ring = scenario_.cluster.ring;
    const auto rounds = static_cast<Duration::rep>(2 * cluster_.hosts() - 2);
    return ring.token_loss + rounds * (ring.consensus + ring.token_loss);
  }

  /// What the nodes counted that ran at the end.
  void count_nodes(RunResult& result) const {
    for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
      const Node* node = cluster_.node(host);
      if (node == nullptr) continue;
      for (const auto& [name, value] : node->status(cluster_.now()).counters) {
        result.counts["counter " + name] += value;
      }
    }
  }

  // L6.
  void judge_calm(RunResult& result, Instant begin) {
    const History& history = recorder_.history;
    const std::vector<Instant> changes = uncalled_changes(history, begin, faults_.injections());
    const double hours =
        std::chrono::duration<double, std::ratio<3600>>(history.healed - begin).count();
    result.counts["configuration changes without a cause"] = changes.size();
    const double most = uncalled_most(*scenario_.spurious_per_hour_max, hours);
    if (static_cast<double>(changes.size()) <= most) return;
    result.report.fail(
        "L6",
        std::to_string(changes.size()) + " configuration changes in " + std::to_string(hours) +
            " h that nothing called for, the first at " + show(changes.front()));
  }

  Scenario scenario_;
  const RunOptions& options_;
  std::size_t told_{0};  ///< injections
  Random random_;
  Network network_;
  Recorder recorder_;
  Cluster cluster_;
  Workload workload_;
  FaultInjector faults_;
  Oracle oracle_;
};

}  // namespace

RunResult run(const RunOptions& options) {
  const Plan* plan = find_plan(options.plan);
  RC_ASSERT(plan != nullptr);
  return run(draw(*plan, options.seed, options.overrides), options);
}

RunResult run(const Scenario& scenario, const RunOptions& options) {
  Simulation simulation{scenario, options};
  return simulation.run();
}

}  // namespace ringcast::sim
