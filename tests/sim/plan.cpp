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
       .summary = "loss, bursts, copies, overtaking, delay, corruption, narrow and choosy links",
       .faults =
           {loss,
            burst,
            selective,
            duplication,
            reorder,
            delay,
            delay_step,
            bandwidth,
            corruption,
            replay},
       .choice = Choice::each,
       .evidence =
           {"packets lost",
            "packets lost by their type",
            "packets dropped by full queues",
            "packets duplicated",
            "packets corrupted",
            "counter ring_packets_retransmitted",
            "counter ring_tokens_retransmitted",
            "counter ring_tokens_duplicate",
            "counter ring_tokens_lost"}},
      {.name = "partition",
       .summary = "partitions, one-way, missing and flapping links, with some loss",
       .faults = {partition, one_way, nontransitive, flap, black_hole, loss},
       .choice = Choice::each,
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
       .faults = {crash, storage_loss, leave, rolling, client_churn},
       .evidence =
           {"crashes",
            "restarts",
            "leaves",
            "storage stale",
            "storage copied",
            "counter ring_recoveries_aborted",
            "deliveries in a transitional configuration"}},
      {.name = "recovery",
       .summary = "recoveries that cannot bring everything back, broken off again and again",
       .faults = {recovery, loss, storage_loss},
       .choice = Choice::all,
       .pace =
           {.interval_min = milliseconds{300},
            .interval_max = milliseconds{1500},
            .think_min = milliseconds{1},
            .think_max = milliseconds{10}},
       .evidence =
           {"recovery broken off on purpose",
            "counter ring_recoveries_aborted",
            "delivery behind a gap",
            "obligation honoured without those it is owed to"}},
      {.name = "slow-client",
       .summary = "clients stop reading until their backlog is over the bound",
       .faults = {slow_client},
       .evidence = {"counter sessions_closed_backlog"}},
      {.name = "pause",
       .summary = "daemons stop for a while, or are slow; small receive buffers; clocks differ",
       .faults = {pause, slow_node, clock, overflow, loss},
       .choice = Choice::each,
       .evidence = {"pauses", "packets overflowed", "counter ring_tokens_lost"}},
      {.name = "strangers",
       .summary = "others on our port, and what was sent long ago",
       .faults = {strangers, replay, corruption, partition, crash},
       .choice = Choice::each,
       .evidence = {"did stranger", "did replay", "counter datagrams_rejected_malformed"}},
      {.name = "machines",
       .summary = "full disks, refused sends, slow processors, small limits",
       .faults = {disk, send_errors, slow_node, overflow, limits, crash, partition},
       .choice = Choice::each,
       .evidence = {"sends refused", "writes to disk failed"}},
      {.name = "operator",
       .summary = "restarts one by one, reloads, machines configured differently",
       .faults = {leave, rolling, reload, skew, timing, limits},
       .choice = Choice::each,
       .evidence = {"did configure", "leaves"}},
      {.name = "clients",
       .summary = "clients are cut off, come and go at once, send nonsense, flood",
       .faults = {slow_client, cut_frame, storm, client_churn, hostile, client_burst, partition},
       .choice = Choice::each,
       .evidence = {"counter sessions_closed_malformed"}},
      {.name = "merge",
       .summary = "two halves are joined again, idle or under load, with some loss",
       .faults = {loss},
       .choice = Choice::each,
       .pace = {.think_min = milliseconds{1}, .think_max = milliseconds{6}, .merges = true},
       .evidence = {"merged under load", "merged idle", "trace merge_detected"}},
      {.name = "calm",
       .summary = "an hour of an idle ring or a slow one, up to 10 % of loss, rare faults",
       .faults = {loss, crash, leave, pause, partition},
       .choice = Choice::each,
       .pace =
           {.fault_phase_min = std::chrono::hours{1},
            .fault_phase_max = std::chrono::minutes{90},
            .interval_min = std::chrono::minutes{4},
            .interval_max = std::chrono::minutes{30},
            .think_min = seconds{1},
            .think_max = seconds{60},
            .calm = true},
       .evidence = {"packets lost", "trace token_held", "crashes"}},
      {.name = "single",
       .summary = "one class of faults, of all of them",
       .faults = all_faults(),
       .choice = Choice::one,
       .evidence = {"crashes", "packets lost"}},
      {.name = "everything",
       .summary = "few, some or half of all classes; now and then one, or none",
       .faults = all_faults(),
       .choice = Choice::some,
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
