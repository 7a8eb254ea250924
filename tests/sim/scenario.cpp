// SPDX-License-Identifier: Apache-2.0
//
// What a plan and a seed give.
#include <algorithm>

#include "protocol/base/limits.hpp"
#include "sim/calm.hpp"
#include "sim/plan.hpp"

namespace ringcast::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint32_t skewed_window_max = 2000;
constexpr std::uint32_t run_out_message_max = std::uint32_t{1} << 13U;

// Every knob is drawn, whether its class is on or not, and each subject has a stream of its own:
// what is switched off or overridden leaves all others as they were.

LinkFaults draw_links(const std::set<Fault>& on, Random random) {
  LinkFaults drawn;
  const std::uint64_t speed = random.below(3);  // a host, a LAN, a slow link
  drawn.delay_max = random.between(milliseconds{1}, milliseconds{15});
  drawn.tail = random.unit() * 0.02;
  drawn.loss = random.chance(0.2) ? 0.3 : random.unit() * 0.12;
  if (random.chance(0.05)) drawn.loss = 0.6;
  drawn.burst_start = random.unit() * 0.003;
  drawn.burst_stop = 1.0 / static_cast<double>(random.between(2, 200));
  drawn.duplicate = random.unit() * 0.2;
  drawn.duplicate_delay_max = random.between(milliseconds{1}, seconds{4});
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
  // With half of the classes on, few things get far; with few on, each has room.
  const double mood = random.unit();
  double share = plan.choice == Choice::each ? 0.5 : 1;
  if (plan.choice == Choice::some) share = random.pick(std::vector<double>{0.12, 0.25, 0.5});
  const bool is_one = plan.choice == Choice::one || (plan.choice == Choice::some && mood < 0.12);
  const bool is_none = plan.choice == Choice::some && mood > 0.96;
  std::set<Fault> on;
  for (const Fault fault : plan.faults) {
    if (random.chance(share) && !is_one && !is_none) on.insert(fault);
  }
  const std::uint64_t one = random.next();
  if (is_one) on.insert(plan.faults[one % plan.faults.size()]);
  // Numbers near their limits, in a quarter of all seeds of all plans but the one without faults.
  const bool is_near_limits = random.chance(0.25);
  // A ring that runs out of numbers is left, which an hour of calm would not forgive.
  if (is_near_limits && !plan.faults.empty() && !plan.pace.calm) on.insert(Fault::counters);
  std::erase_if(
      on, [&](Fault fault) { return overrides.faults && !overrides.faults->contains(fault); });
  return on;
}

std::size_t draw_nodes(const Plan& plan, Random random) {
  if (plan.is_partial || plan.pace.calm || plan.pace.merges) {
    return random.pick(std::vector<std::size_t>{2, 3, 3, 3, 4, 5, 5, 7});
  }
  if (random.chance(0.005)) return 32;
  if (random.chance(0.01)) return 16;
  return random.pick(std::vector<std::size_t>{1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 5, 6, 7, 8, 9});
}

/// Timeouts as an operator may set them, half of the time as close to their bounds as is allowed.
void draw_timing(RingConfig& ring, Random random) {
  const bool is_tight = random.chance(0.5);
  ring.token_loss = random.between(milliseconds{80}, milliseconds{800});
  ring.token_retransmit_max = ring.token_loss / (is_tight ? 4 : 8);
  ring.token_hold = is_tight ? ring.token_loss / 2 - milliseconds{1} : ring.token_loss / 4;
  ring.token_rest_after = is_tight ? milliseconds{0} : milliseconds{2};
  ring.consensus = is_tight ? ring.token_loss * 11 / 10 + microseconds{1} : ring.token_loss * 3 / 2;
  ring.join_interval = ring.consensus / (is_tight ? 4 : 20);
  ring.fail_to_receive = ring.token_loss + (is_tight ? milliseconds{1} : milliseconds{1000});
  ring.probe_interval = random.between(milliseconds{50}, milliseconds{500});
  ring.backoff_max = is_tight ? ring.probe_interval : seconds{10};
}

void draw_limits(ClusterConfig& cluster, Random random) {
  RingConfig& ring = cluster.ring;
  ring.message_bytes_max = std::uint32_t{1} << random.between(12, 17);
  ring.window_packets_max = random.pick(std::vector<std::uint32_t>{16, 17, 64, 500});
  ring.window_bytes_max = std::uint64_t{2} * ring.message_bytes_max;
  ring.send_queue_bytes_max = ring.message_bytes_max;
  cluster.session.credit_bytes = random.pick(std::vector<std::uint64_t>{1, 3000, 100'000});
  cluster.session.groups_per_session_max = 3;
  cluster.session.sessions_max = static_cast<std::uint32_t>(random.between(2, 10));
}

/// So that a few hundred steps cross the place where a shorter integer would wrap; or so that a
/// ring's packet numbers run out.
void draw_counters(ClusterConfig& cluster, WorkloadOptions& load, Random random) {
  const std::vector<unsigned> bits = {15, 16, 31, 32};
  const auto near = [&](std::uint64_t most) {
    const std::uint64_t away = random.chance(0.4) ? random.between(1, 4) : random.between(1, most);
    return (std::uint64_t{1} << random.pick(bits)) - away;
  };
  cluster.ring.packets_before = near(200);
  const bool run_out = random.chance(0.2);
  const std::uint64_t left = random.between(200, 2000);
  // [ORD-11] A ring is left a window before its numbers end.
  const std::uint64_t window = std::max(cluster.ring.window_packets_max, skewed_window_max);
  // The largest message, of each daemon at once, must fit into what is left of a ring.
  if (run_out) {
    cluster.ring.message_bytes_max = std::min(cluster.ring.message_bytes_max, run_out_message_max);
  }
  if (run_out) cluster.ring.packets_before = packet_seq_limit - window - left;
  cluster.ring.tokens_before = near(500);
  cluster.stored.ring_seq_reserved = near(5);
  cluster.clock_ahead = milliseconds{near(3000)};
  load.tickets_before = near(20);
}

void draw_cluster(const std::set<Fault>& on, ClusterConfig& cluster, Random random) {
  cluster.ring.message_bytes_max = std::uint32_t{1} << 18U;
  cluster.datagram_bytes_max =
      random.pick(std::vector<std::uint32_t>{1472, 1472, 1472, 8972, 65507});
  cluster.ring.accelerated_percent = random.pick(std::vector<std::uint32_t>{0, 50, 100, 100});
  Random timing = random.fork();
  Random limits = random.fork();
  Random skew = random.fork();
  if (on.contains(Fault::timing)) draw_timing(cluster.ring, timing);
  if (on.contains(Fault::limits)) draw_limits(cluster, limits);
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
  if (!on.contains(Fault::skew)) return;
  for (std::size_t i = 0; i < cluster.names.size(); ++i) {
    RingConfig ring = cluster.ring;
    ring.accelerated_percent = static_cast<std::uint32_t>(skew.between(0, 100));
    ring.window_packets_max =
        static_cast<std::uint32_t>(skew.between(window_packets_least, skewed_window_max));
    ring.token_loss = ring.token_loss * static_cast<Duration::rep>(skew.between(100, 150)) / 100;
    ring.consensus = ring.consensus * static_cast<Duration::rep>(skew.between(160, 200)) / 100;
    ring.fail_to_receive = ring.fail_to_receive * 2;
    ring.datagram_bytes_max = static_cast<std::uint32_t>(skew.between(1200, 9000));
    cluster.ring_of.push_back(ring);
  }
}

WorkloadOptions draw_workload(
    const std::set<Fault>& on, const Pace& pace, std::size_t nodes, Random random) {
  WorkloadOptions load;
  load.clients = random.between(1, 3 * nodes);
  load.groups = random.chance(0.2) ? random.between(9, 50) : random.between(1, 8);
  load.think = random.between(pace.think_min, pace.think_max);
  load.safe_share = random.unit() * 0.6;
  load.large_share = random.unit() * 0.03;
  const bool is_crowded = random.chance(0.03);
  const std::size_t crowd = random.between(50, 200);
  const bool is_saturated = random.chance(0.06);
  const bool has_rests = random.chance(0.25);
  load.active = random.between(milliseconds{200}, milliseconds{1500});
  load.idle = random.between(milliseconds{300}, milliseconds{1500});
  if (!has_rests) load.active = Duration{0};
  if (is_saturated && !pace.calm) load.think = milliseconds{1};
  if (is_crowded && !pace.calm) {
    load.clients = crowd;
    load.think = milliseconds{150};
  }
  if (on.contains(Fault::client_churn)) load.goodbye = load.hang_up = load.join = load.leave = 10;
  if (on.contains(Fault::cut_frame)) load.cut_frame = 5;
  if (on.contains(Fault::hostile)) load.hostile = load.oversize = 5;
  if (on.contains(Fault::client_burst)) {
    load.burst = 10;
    load.burst_max = 200;
  }
  const Duration storms = random.between(milliseconds{150}, milliseconds{1500});
  if (on.contains(Fault::storm)) load.storm_interval = storms;
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

/// What a plan that is more than its faults adds to them.
void draw_course(const Plan& plan, Scenario& scenario, Random random) {
  if (plan.is_partial) {
    scenario.partial = draw_partial(scenario.cluster.names.size(), random.fork());
    scenario.workload.think = milliseconds{800};
  }
  if (plan.pace.calm) {
    scenario.faults.links.loss = std::min(scenario.faults.links.loss, 0.1);
    scenario.spurious_per_hour_max = uncalled_per_hour_max;
  }
  if (plan.pace.merges) {
    const RingConfig& ring = scenario.cluster.ring;
    scenario.faults.at_start.push_back(draw_halves(scenario.cluster.names, random.fork()));
    scenario.merge_max = ring.probe_interval + ring.token_loss + 2 * ring.consensus;
  }
}

}  // namespace

Scenario draw(const Plan& plan, std::uint64_t seed, const Overrides& overrides) {
  Random random{seed * 0x9e3779b97f4a7c15ULL + 1};
  Scenario scenario;
  scenario.faults.on = draw_faults(plan, overrides, random.fork());
  const std::set<Fault>& on = scenario.faults.on;
  const std::size_t drawn = draw_nodes(plan, random.fork());
  const std::size_t nodes = overrides.nodes.value_or(drawn);
  for (std::size_t i = 0; i < nodes; ++i) {
    scenario.cluster.names.push_back("d" + std::to_string(i));
  }
  draw_cluster(on, scenario.cluster, random.fork());
  scenario.faults.links = draw_links(on, random.fork());
  scenario.faults.mean_interval = random.between(plan.pace.interval_min, plan.pace.interval_max);
  scenario.faults.aimed_share = 0.6 + random.unit() * 0.3;
  scenario.faults.token_loss = scenario.cluster.ring.token_loss;
  scenario.faults.schedule = overrides.schedule;
  scenario.fault_phase = random.between(plan.pace.fault_phase_min, plan.pace.fault_phase_max);
  if (drawn > 9) scenario.fault_phase = scenario.fault_phase / 3;
  scenario.fault_phase = overrides.fault_phase.value_or(scenario.fault_phase);
  scenario.workload = draw_workload(on, plan.pace, drawn, random.fork());
  Random counters = random.fork();
  if (on.contains(Fault::counters)) {
    draw_counters(scenario.cluster, scenario.workload, counters);
    for (RingConfig& ring : scenario.cluster.ring_of) {
      ring.packets_before = scenario.cluster.ring.packets_before;
      ring.tokens_before = scenario.cluster.ring.tokens_before;
      ring.message_bytes_max = scenario.cluster.ring.message_bytes_max;
    }
  }
  draw_course(plan, scenario, random.fork());
  scenario.workload.clients = overrides.clients.value_or(scenario.workload.clients);
  return scenario;
}

}  // namespace ringcast::sim
