// SPDX-License-Identifier: Apache-2.0
#include "sim/plan.hpp"

#include <algorithm>

namespace ringcast::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<Plan>& plans() {
  using enum Fault;
  static const std::vector<Plan> all = {
      {.name = "baseline",
       .summary = "nothing breaks",
       .faults = {},
       .evidence = {"published", "safe in regular", "received by clients"}},
      {.name = "lossy",
       .summary = "loss, bursts, copies, overtaking, delay, corruption",
       .faults = {loss, burst, duplication, reorder, delay, corruption},
       .swarm = true,
       .evidence =
           {"packets lost",
            "packets duplicated",
            "packets corrupted",
            "counter ring_packets_retransmitted",
            "counter ring_tokens_retransmitted",
            "counter ring_tokens_duplicate",
            "counter ring_tokens_lost"}},
      {.name = "partition",
       .summary = "partitions, one-way and flapping links, with some loss",
       .faults = {partition, one_way, flap, black_hole, loss},
       .swarm = true,
       .evidence =
           {"counter ring_recoveries_aborted",
            "counter ring_messages_discarded",
            "deliveries in a transitional configuration",
            "safe in transitional",
            "trace merge_detected"}},
      {.name = "partial",
       .summary = "some directed links stay cut for a minute",
       .faults = {},
       .is_partial = true,
       .evidence = {"regular installs", "trace merge_detected"}},
      {.name = "churn",
       .summary = "daemons crash, restart with or without their storage, leave; clients too",
       .faults = {crash, storage_loss, leave, client_churn},
       .evidence =
           {"crashes",
            "restarts",
            "leaves",
            "counter ring_recoveries_aborted",
            "deliveries in a transitional configuration"}},
      {.name = "slow-client",
       .summary = "clients stop reading until their backlog is over the bound",
       .faults = {slow_client},
       .evidence = {"counter sessions_closed_backlog"}},
      {.name = "pause",
       .summary = "daemons stop for a while; small receive buffers",
       .faults = {pause, overflow, loss},
       .swarm = true,
       .evidence = {"pauses", "packets overflowed", "counter ring_tokens_lost"}},
      {.name = "merge",
       .summary = "two halves are joined again, idle or under load, with some loss",
       .faults = {loss},
       .swarm = true,
       .pace = {.think_min = milliseconds{1}, .think_max = milliseconds{6}, .merges = true},
       .evidence = {"merged under load", "merged idle", "trace merge_detected"}},
      {.name = "calm",
       .summary = "an hour of an idle ring or a slow one, up to 10 % of loss, rare faults",
       .faults = {loss, crash, leave, pause, partition},
       .swarm = true,
       .pace =
           {.fault_phase_min = std::chrono::hours{1},
            .fault_phase_max = std::chrono::minutes{90},
            .interval_min = std::chrono::minutes{4},
            .interval_max = std::chrono::minutes{30},
            .think_min = seconds{1},
            .think_max = seconds{60},
            .calm = true},
       .evidence = {"packets lost", "trace token_held", "crashes"}},
      {.name = "everything",
       .summary = "each class of faults with probability 1/2",
       .faults =
           {loss,
            burst,
            duplication,
            reorder,
            delay,
            corruption,
            partition,
            one_way,
            flap,
            crash,
            storage_loss,
            leave,
            black_hole,
            pause,
            overflow,
            slow_client,
            client_churn},
       .swarm = true,
       .evidence =
           {"crashes",
            "leaves",
            "pauses",
            "packets lost",
            "packets overflowed",
            "counter ring_recoveries_aborted",
            "counter sessions_closed_backlog"}},
  };
  return all;
}

const Plan* find_plan(std::string_view name) {
  for (const Plan& plan : plans()) {
    if (plan.name == name) return &plan;
  }
  return nullptr;
}

namespace {

// Every knob is drawn, whether its class is on or not, and each subject has a stream of its own:
// what is switched off or overridden leaves all others as they were.

LinkFaults draw_links(const std::set<Fault>& on, Random random) {
  LinkFaults drawn;
  const std::uint64_t speed = random.below(3);  // a host, a LAN, a slow link
  drawn.delay_max = random.between(milliseconds{1}, milliseconds{15});
  drawn.tail = random.unit() * 0.02;
  drawn.loss = random.chance(0.2) ? 0.3 : random.unit() * 0.12;
  drawn.burst_start = random.unit() * 0.003;
  drawn.burst_stop = 1.0 / static_cast<double>(random.between(2, 200));
  drawn.duplicate = random.unit() * 0.2;
  drawn.duplicate_delay_max = random.between(milliseconds{1}, seconds{2});
  drawn.reorder = random.unit() * 0.3;
  drawn.reorder_delay_max = random.between(microseconds{100}, milliseconds{20});
  drawn.corrupt = random.unit() * 0.03;

  LinkFaults links;
  links.delay_min = speed == 0 ? microseconds{10} : microseconds{speed == 1 ? 60 : 500};
  links.delay_max = links.delay_min * 3;
  if (on.contains(Fault::delay)) {
    links.delay_max = drawn.delay_max;
    links.tail = drawn.tail;
  }
  if (on.contains(Fault::loss)) links.loss = drawn.loss;
  if (on.contains(Fault::burst)) {
    links.burst_start = drawn.burst_start;
    links.burst_stop = drawn.burst_stop;
  }
  if (on.contains(Fault::duplication)) {
    links.duplicate = drawn.duplicate;
    links.duplicate_delay_max = drawn.duplicate_delay_max;
  }
  if (on.contains(Fault::reorder)) {
    links.reorder = drawn.reorder;
    links.reorder_delay_max = drawn.reorder_delay_max;
  }
  if (on.contains(Fault::corruption)) links.corrupt = drawn.corrupt;
  return links;
}

std::set<Fault> draw_faults(const Plan& plan, const Overrides& overrides, Random random) {
  std::set<Fault> on;
  for (const Fault fault : plan.faults) {
    if (plan.swarm && !random.chance(0.5)) continue;
    if (!overrides.faults || overrides.faults->contains(fault)) on.insert(fault);
  }
  return on;
}

void draw_limits(const std::set<Fault>& on, ClusterConfig& cluster, Random random) {
  cluster.ring.message_bytes_max = std::uint32_t{1} << 18U;
  cluster.datagram_bytes_max =
      random.pick(std::vector<std::uint32_t>{1472, 1472, 1472, 8972, 65507});
  cluster.ring.accelerated_percent = random.pick(std::vector<std::uint32_t>{0, 50, 50, 100});
  // Less than the nodes were told, so that flow control alone does not prevent it.
  const std::size_t told = random.between(20000, 120000);
  const std::size_t real = told / random.between(1, 8);
  if (on.contains(Fault::overflow)) {
    cluster.receive_buffer_told = told;
    cluster.receive_buffer_bytes = real;
    cluster.datagram_bytes_max = 1472;
  }
  if (on.contains(Fault::slow_client)) {
    cluster.session.backlog_bytes_max = std::uint64_t{1} << 20U;
    cluster.socket_bytes = std::size_t{32} << 10U;
  }
}

WorkloadOptions draw_workload(
    const std::set<Fault>& on, const Pace& pace, std::size_t nodes, Random random) {
  WorkloadOptions load;
  load.clients = random.between(nodes, 3 * nodes);
  load.groups = random.between(1, 8);
  load.think = random.between(pace.think_min, pace.think_max);
  load.safe_share = random.unit() * 0.6;
  load.large_share = random.unit() * 0.03;
  if (on.contains(Fault::client_churn)) load.goodbye = load.hang_up = 8;
  if (on.contains(Fault::slow_client)) {
    load.stall = 2;
    load.think = load.think / 2;
    load.large_share = 0.05;
  }
  if (pace.merges) {
    load.burst = 20;
    load.large_share = 0;
  }
  if ((pace.calm || pace.merges) && random.chance(0.5)) load.clients = 0;
  return load;
}

/// "split d0 d2 | d1", both sides with somebody in them.
std::string draw_halves(std::vector<std::string> names, Random random) {
  for (std::size_t i = names.size(); i > 1; --i) {
    std::swap(names[i - 1], names[random.below(i)]);
  }
  const std::size_t first = names.size() < 2 ? names.size() : random.between(1, names.size() - 1);
  std::string text = "split";
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == first ? " | " : " ") + names[i];
  }
  return text;
}

}  // namespace

Scenario draw(const Plan& plan, std::uint64_t seed, const Overrides& overrides) {
  Random random{seed * 0x9e3779b97f4a7c15ULL + 1};
  Scenario scenario;
  scenario.faults.on = draw_faults(plan, overrides, random.fork());
  const std::set<Fault>& on = scenario.faults.on;
  const std::size_t drawn = random.pick(std::vector<std::size_t>{2, 3, 3, 3, 4, 5, 5, 7});
  const std::size_t nodes = overrides.nodes.value_or(drawn);
  for (std::size_t i = 0; i < nodes; ++i) {
    scenario.cluster.names.push_back("d" + std::to_string(i));
  }
  draw_limits(on, scenario.cluster, random.fork());
  scenario.faults.links = draw_links(on, random.fork());
  scenario.faults.mean_interval = random.between(plan.pace.interval_min, plan.pace.interval_max);
  scenario.faults.aimed_share = random.unit() * 0.1;
  scenario.faults.token_loss = scenario.cluster.ring.token_loss;
  scenario.faults.schedule = overrides.schedule;
  scenario.fault_phase = random.between(plan.pace.fault_phase_min, plan.pace.fault_phase_max);
  scenario.fault_phase = overrides.fault_phase.value_or(scenario.fault_phase);
  scenario.workload = draw_workload(on, plan.pace, drawn, random.fork());
  scenario.workload.clients = overrides.clients.value_or(scenario.workload.clients);
  if (plan.is_partial) {
    scenario.partial = draw_partial(nodes, random.fork());
    scenario.workload.think = milliseconds{800};
  }
  if (plan.pace.calm) {
    scenario.faults.links.loss = std::min(scenario.faults.links.loss, 0.1);
    scenario.spurious_per_hour_max = 1.0;
  }
  if (plan.pace.merges) {
    const RingConfig& ring = scenario.cluster.ring;
    scenario.faults.at_start.push_back(draw_halves(scenario.cluster.names, random.fork()));
    scenario.merge_max = ring.probe_interval + ring.token_loss + 2 * ring.consensus;
  }
  return scenario;
}

std::string Scenario::describe() const {
  std::string text = std::to_string(cluster.names.size()) + " nodes, " +
                     std::to_string(workload.clients) + " clients, " +
                     std::to_string(std::chrono::duration_cast<milliseconds>(fault_phase).count()) +
                     " ms of faults:";
  for (const Fault fault : faults.on) {
    text += " " + std::string(to_string(fault));
  }
  if (faults.on.empty()) text += " none";
  if (partial) text += "; " + sim::describe(*partial);
  return text;
}

}  // namespace ringcast::sim
