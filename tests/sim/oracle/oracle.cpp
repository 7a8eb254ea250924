// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle/oracle.hpp"

#include <algorithm>

#include "protocol/groups/envelope.hpp"
#include "sim/oracle/safe.hpp"

namespace ringcast::sim {

namespace {

/// Sessions are looked at once in so many inputs of their daemon: a bound that is passed stays
/// passed until somebody does something about it.
constexpr std::uint64_t sessions_every = 32;

/// The longest message a ring carries: a client's, or a piece of the groups' exchange.
std::uint64_t ring_message_bytes_max(const RingConfig& ring) {
  return std::max<std::uint64_t>(
      ring.message_bytes_max + envelope_overhead_max, exchange_envelope_bytes_max);
}

}  // namespace

Oracle::Oracle(const Cluster& cluster, const History& history)
    : cluster_(cluster),
      history_(history),
      watched_(cluster.hosts()),
      memories_(
          history,
          {.message_bytes_max = ring_message_bytes_max(cluster.config().ring),
           .join_pause_max = cluster.config().ring.join_interval * 5 / 4},
          report_),
      wire_(
          history,
          memories_,
          [this](const NodeKey& run, const RingId& ring, Seq seq) { return holds(run, ring, seq); },
          report_) {
  for (std::size_t host = 0; host < cluster.hosts(); ++host) {
    host_of_[node_id(cluster.name(host))] = host;
  }
}

bool Oracle::holds(const NodeKey& run, const RingId& ring, Seq seq) const {
  const std::size_t host = host_of_.at(run.node);
  const Node* const node = cluster_.node(host);
  return node != nullptr && watched_[host].key == run && node->holds(ring, seq);
}

void Oracle::on_packet(std::size_t host, const BufferRef& datagram) {
  wire_.sent(cluster_.stored(host).ring_seq_reserved, datagram);
}

void Oracle::on_started(std::size_t host, BootId boot, Storage storage) {
  const NodeId node = node_id(cluster_.name(host));
  watched_[host] = Watched{};
  watched_[host].key = NodeKey{.node = node, .boot = boot};
  wire_.started(node, cluster_.stored(host).ring_seq_reserved, storage);
}

void Oracle::on_ended(std::size_t host) { memories_.ended(watched_[host].key); }

void Oracle::on_input(std::size_t host) {
  const Node& node = *cluster_.node(host);
  const Inspection now = node.inspect();
  if (now.self.boot.value == 0) return;  // its start is still to come
  Watched& watched = watched_[host];
  if (now.current) {
    memories_.check_token_left(now, wire_.last_token_of(now.self, now.current->ring));
  }
  memories_.look(now);
  if (++watched.inputs % sessions_every != 0) return;
  watched.sessions.look(
      {.name = cluster_.name(host),
       .inputs = watched.inputs,
       .now = cluster_.now(),
       .queued_bytes = now.queued_bytes},
      node.inspect_sessions(),
      cluster_.config().ring,
      cluster_.config().session,
      report_);
}

void Oracle::on_ordered(std::size_t host, const OrderedEvent& event) {
  Watched& watched = watched_[host];
  if (const auto* const change = std::get_if<ConfigurationChange>(&event)) {
    watched.transitional = change->kind == ConfigurationChange::Kind::transitional;
    if (watched.transitional) return;
    watched.configuration = change->id;
    watched.members = change->members;
    return;
  }
  const auto& message = std::get<OrderedMessage>(event);
  memories_.delivered(watched.key, message.configuration, message.seq);
  if (message.service != Service::safe || watched.transitional) return;
  check_safe_delivery(
      history_,
      memories_,
      [this](const NodeKey& run, const RingId& ring, Seq seq) { return holds(run, ring, seq); },
      watched.key.node,
      watched.members,
      message,
      report_);
}

}  // namespace ringcast::sim
