// SPDX-License-Identifier: Apache-2.0
//
// What a node tells of itself, and what may change while it runs.
#include <algorithm>
#include <array>
#include <chrono>

#include "ringcast/version.hpp"

#include "protocol/node_impl.hpp"

namespace ringcast {
namespace {

struct NamedCounter {
  std::string_view name;
  std::uint64_t RingCounters::*value;
};

constexpr std::array ring_counters = {
    NamedCounter{"ring_configurations", &RingCounters::configurations},
    NamedCounter{"ring_fragments_stray", &RingCounters::fragments_stray},
    NamedCounter{"ring_gathers", &RingCounters::gathers},
    NamedCounter{"ring_messages_discarded", &RingCounters::messages_discarded},
    NamedCounter{"ring_messages_ordered", &RingCounters::messages_ordered},
    NamedCounter{"ring_packets_duplicate", &RingCounters::packets_duplicate},
    NamedCounter{"ring_packets_outside", &RingCounters::packets_outside},
    NamedCounter{"ring_packets_foreign", &RingCounters::packets_foreign},
    NamedCounter{"ring_packets_originated", &RingCounters::packets_originated},
    NamedCounter{"ring_packets_received", &RingCounters::packets_received},
    NamedCounter{"ring_packets_requested", &RingCounters::packets_requested},
    NamedCounter{"ring_packets_retransmitted", &RingCounters::packets_retransmitted},
    NamedCounter{"ring_recoveries_aborted", &RingCounters::recoveries_aborted},
    NamedCounter{"ring_tokens_duplicate", &RingCounters::tokens_duplicate},
    NamedCounter{"ring_tokens_lost", &RingCounters::tokens_lost},
    NamedCounter{"ring_tokens_received", &RingCounters::tokens_received},
    NamedCounter{"ring_tokens_retransmitted", &RingCounters::tokens_retransmitted},
    NamedCounter{"ring_tokens_stale", &RingCounters::tokens_stale},
};

}  // namespace

DaemonTable Node::Impl::daemon_table() const {
  DaemonTable table;
  for (const auto& daemon : config_.daemons) {
    table.emplace_back(node_id(daemon.name), daemon.name);
  }
  std::sort(table.begin(), table.end());
  return table;
}

std::string Node::Impl::name_of(NodeId node) const {
  for (const auto& daemon : config_.daemons) {
    if (node_id(daemon.name) == node) return daemon.name;
  }
  return to_string(node);
}

NodeStatus Node::Impl::status(Instant now) const {
  NodeStatus status;
  status.daemon = config_.name;
  status.cluster = config_.cluster;
  status.version = std::string(version);
  status.state = to_string(ring_.phase());
  std::vector<NodeId> members;
  if (groups_) {
    const auto& configuration = groups_->configuration();
    members = configuration.daemons;
    status.configuration.id = ConfigurationId{
        configuration.id.seq,
        name_of(configuration.id.representative),
        configuration.id.boot.value};
    for (const auto node : members) {
      status.configuration.daemons.push_back(name_of(node));
    }
    status.groups = groups_->group_count();
    // The ring may be ahead of the last configuration whose groups are complete.
    if (ring_.phase() == RingPhase::operational && !groups_->gate_open()) status.state = "exchange";
  }
  status.uptime_s = std::chrono::duration<double>(now - started_).count();
  for (const auto& daemon : config_.daemons) {
    status.configuration.configured.push_back(daemon.name);
    const bool is_member =
        std::find(members.begin(), members.end(), node_id(daemon.name)) != members.end();
    status.daemons.push_back(
        DaemonInfo{.name = daemon.name, .address = daemon.address, .member = is_member});
  }
  std::sort(status.configuration.configured.begin(), status.configuration.configured.end());
  std::sort(status.daemons.begin(), status.daemons.end());
  for (const auto& [id, session] : sessions_) {
    status.sessions += session.established() ? 1U : 0U;
  }
  status.warnings.emplace_back(
      "the ring is unprotected: daemons do not authenticate one another (null sealer); keep it on "
      "a "
      "trusted network");
  for (const auto& counter : ring_counters) {
    status.counters.emplace_back(counter.name, ring_.counters().*counter.value);
  }
  for (const auto& [name, value] : counters_) {
    status.counters.emplace_back(name, value);
  }
  if (groups_) status.counters.emplace_back("groups_rejected", groups_->rejected_envelopes());
  status.counters.emplace_back("ring_queue_bytes", ring_.queued_bytes());
  std::sort(status.counters.begin(), status.counters.end());
  return status;
}

}  // namespace ringcast
