// SPDX-License-Identifier: Apache-2.0
#include "sim/evidence.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/bytes.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast::sim {

namespace {

constexpr std::array<std::string_view, 6> phase_names = {
    "starting", "operational", "gather", "commit", "recovery", "stopped"};
constexpr std::array<std::string_view, 7> type_names = {
    "", "data", "token", "join", "commit token", "probe", "wakeup"};
constexpr std::size_t ring_bytes = 16;
constexpr std::size_t originator_offset = packet_header_bytes + ring_bytes + 8;
constexpr std::size_t flags_offset = originator_offset + 4;
constexpr std::byte recovered_flag{2};

bool says(const TraceEvent& event, std::string_view words) {
  return event.text.find(words) != std::string::npos;
}

RingId read_ring(std::span<const std::byte> packet) {
  ByteReader reader{packet.subspan(packet_header_bytes, ring_bytes)};
  RingId ring;
  ring.seq = reader.u64();
  ring.representative = NodeId{reader.u32()};
  ring.boot = BootId{reader.u32()};
  return ring;
}

}  // namespace

Evidence::Evidence(const Cluster& cluster) : cluster_(cluster), hosts_(cluster.hosts()) {
  for (std::size_t host = 0; host < hosts_.size(); ++host) {
    host_of_[node_id(cluster.name(host))] = host;
  }
}

bool Evidence::is_in_recovery(std::size_t host) const {
  return hosts_[host].phase == Phase::recovery;
}

unsigned Evidence::recovery_visits(std::size_t host) const { return hosts_[host].recovery_visits; }

void Evidence::on_trace(std::size_t index, const TraceEvent& event) {
  Host& host = hosts_[index];
  switch (event.kind) {
    case TraceKind::started:
      if (host.phase == Phase::recovery) --in_recovery_;
      host = Host{};
      return;
    case TraceKind::state_entered:
      return on_state(host, event);
    case TraceKind::token_received:
      if (host.phase == Phase::recovery) ++host.recovery_visits;
      return;
    case TraceKind::token_lost:
      if (std::exchange(host.was_paused_long, false)) count("pause over the token timeout noticed");
      return;
    case TraceKind::token_released:
      if (says(event, "something to send")) count("hold cancelled");
      return;
    case TraceKind::originated:
      return on_originated(host, event);
    case TraceKind::recovery_step:
      return on_recovery_step(event);
    case TraceKind::exchange:
      if (says(event, "clients go on")) {
        host.is_exchanging = false;
      } else if (std::exchange(host.is_exchanging, true)) {
        count("group exchange aborted");
      }
      return;
    case TraceKind::merge_detected:
      count(host.is_busy ? "merge under load" : "merge idle");
      return;
    case TraceKind::token_retransmitted:
      host.resent = cluster_.now();
      return;
    case TraceKind::token_held:
      host.is_busy = false;
      return;
    case TraceKind::packet_dropped: {
      const std::size_t colon = event.text.find(": ");
      if (colon != std::string::npos) count("refused: " + event.text.substr(colon + 2));
      return;
    }
    case TraceKind::note:
      return on_note(event);
    default:
      return;
  }
}

void Evidence::on_state(Host& host, const TraceEvent& event) {
  const std::size_t arrow = event.text.find("-> ");
  if (arrow == std::string::npos) return;
  const std::string_view rest = std::string_view{event.text}.substr(arrow + 3);
  const Phase before = host.phase;
  for (std::size_t i = 0; i < phases; ++i) {
    if (rest.substr(0, phase_names[i].size()) == phase_names[i]) host.phase = static_cast<Phase>(i);
  }
  in_recovery_ += host.phase == Phase::recovery ? 1U : 0U;
  in_recovery_ -= before == Phase::recovery ? 1U : 0U;
  host.recovery_visits = 0;
  if (host.ring != event.ring) host.last_token = 0;
  host.ring = event.ring;
  if (host.phase == Phase::gather) {
    host.is_busy = false;
    if (before == Phase::recovery) {
      ++host.aborted;
      count("recovery aborted " + std::to_string(std::min(host.aborted, 3U)) + " times in a row");
    }
    if (says(event, "receives nothing")) count("fail-to-receive eviction");
    if (says(event, "numbers run out")) count("packet numbers ran out");
    if (says(event, "a member was restarted")) count("member restarted while a ring was formed");
    if (says(event, "knows more than the commit")) count("commit token given up for a newer join");
  }
  if (host.phase == Phase::operational) {
    if (before == Phase::recovery) host.aborted = 0;
    host.installed = event.ring;
  }
}

void Evidence::on_originated(const Host& host, const TraceEvent& event) {
  constexpr std::array<unsigned, 5> bits = {15, 16, 31, 32, 61};
  for (const unsigned bit : bits) {
    if (event.seq.value != (std::uint64_t{1} << bit)) continue;
    const bool in_recovery = host.phase == Phase::recovery;
    count("packet number crossed 2^" + std::to_string(bit));
    count(in_recovery ? "packet number crossed in recovery" : "packet number crossed in operation");
  }
}

void Evidence::on_recovery_step(const TraceEvent& event) {
  if (says(event, "a packet is missing")) count("hole in the old ring at an install");
  if (says(event, "delivered behind a gap")) count("delivery behind a gap");
  if (says(event, "obliged to absent")) count("obligation honoured without those it is owed to");
  if (says(event, "nothing to offer")) count("everything received in the same attempt before");
}

void Evidence::on_note(const TraceEvent& event) {
  if (says(event, "consensus timer")) count("consensus timeout");
  if (says(event, "window of numbers is full")) count("sender limited by the window of numbers");
  if (says(event, "window of bytes is full")) count("sender limited by the window of bytes");
  if (says(event, "share is used up")) count("sender limited by its share");
}

void Evidence::on_ordered(std::size_t index, const OrderedEvent& event) {
  Host& host = hosts_[index];
  if (const auto* const message = std::get_if<OrderedMessage>(&event)) {
    if (message->transitional && host.transitional_members == 1) {
      count("delivery in a transitional configuration of one");
    }
    return;
  }
  const auto& change = std::get<ConfigurationChange>(event);
  if (change.kind == ConfigurationChange::Kind::transitional) {
    host.transitional_members = change.members.size();
    return;
  }
  if (change.previous.seq > 0) origins_[change.id].insert(change.previous);
}

void Evidence::on_packet(std::size_t index, std::span<const std::byte> packet) {
  if (packet.size() < packet_header_bytes + tag_bytes) return;
  const PacketHeader header = read_header(packet);
  const auto type = static_cast<std::size_t>(header.type);
  if (type == 0 || type >= packet_types) return;
  Host& host = hosts_[index];
  const auto phase = static_cast<std::size_t>(host.phase);
  ++packets_[type][phase];
  if (header.type != PacketType::data && header.type != PacketType::token) return;
  if (packet.size() <= flags_offset + tag_bytes) return;
  const RingId ring = read_ring(packet);
  if (ring != host.ring && ring != host.installed) ++foreign_[type][phase];
  if (header.type == PacketType::token) {
    on_token(host, header.sender.node, packet);
    return;
  }
  host.is_busy = true;
  ByteReader reader{packet.subspan(originator_offset, 4)};
  const bool is_recovered = (packet[flags_offset] & recovered_flag) != std::byte{0};
  if (NodeId{reader.u32()} != header.sender.node && !is_recovered) {
    count("request answered by another than the originator");
  }
}

void Evidence::on_token(Host& host, NodeId sender, std::span<const std::byte> packet) {
  constexpr Duration soon = std::chrono::milliseconds{60};
  ByteReader reader{packet.subspan(packet_header_bytes + ring_bytes, 8)};
  const std::uint64_t number = reader.u64();
  const auto from = host_of_.find(sender);
  if (from == host_of_.end()) return;
  const auto resent = std::exchange(hosts_[from->second].resent, std::nullopt);
  const bool is_new = read_ring(packet) == host.ring && number > host.last_token;
  if (is_new && resent && cluster_.now() - *resent < soon) count("lost token came again");
  if (is_new) host.last_token = number;
}

void Evidence::on_injection(std::string_view what) {
  const std::string_view operation = what.substr(0, what.find(' '));
  ++counts_["did " + std::string(operation)];
  if (operation != "pause" && operation != "resume") return;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (what.substr(operation.size() + 1) != cluster_.name(i)) continue;
    if (operation == "pause" && cluster_.is_up(i)) {
      hosts_[i].paused = cluster_.now();
    } else if (hosts_[i].paused && cluster_.is_paused(i)) {
      hosts_[i].was_paused_long =
          cluster_.now() - *hosts_[i].paused > cluster_.config().ring.token_loss;
      hosts_[i].paused.reset();
    }
  }
}

void Evidence::add_packets(std::map<std::string, std::uint64_t>& counts) const {
  for (std::size_t type = 1; type < packet_types; ++type) {
    for (std::size_t phase = 0; phase < phases; ++phase) {
      const std::string in = std::string(" in ") + std::string(phase_names[phase]);
      if (packets_[type][phase] > 0) {
        counts[std::string(type_names[type]) + in] += packets_[type][phase];
      }
      if (foreign_[type][phase] > 0) {
        counts["foreign " + std::string(type_names[type]) + in] += foreign_[type][phase];
      }
    }
  }
}

void Evidence::add_merges(std::map<std::string, std::uint64_t>& counts) const {
  for (const auto& [ring, origins] : origins_) {
    if (origins.size() < 2) continue;
    ++counts["different transitional configurations into one ring"];
    ++counts["merge of " + std::to_string(std::min<std::size_t>(origins.size(), 4)) + " rings"];
  }
}

void Evidence::add_restarts(
    std::map<std::string, std::uint64_t>& counts, const History& history) const {
  std::map<NodeId, Instant> ended;
  for (const Process& process : history.processes) {
    const auto before = ended.find(process.node);
    if (before != ended.end() &&
        process.started - before->second < cluster_.config().ring.token_loss) {
      ++counts["restart inside the token timeout"];
    }
    ++counts["storage " + std::string(to_string(process.storage))];
    if (process.ended) ended[process.node] = *process.ended;
  }
}

void Evidence::add_sessions(std::map<std::string, std::uint64_t>& counts, const History& history) {
  for (const SessionRecord& session : history.sessions) {
    for (const SessionEvent& event : session.events) {
      if (const auto* const view = std::get_if<ViewEvent>(&event.what)) {
        ++counts["view cause " + std::string(to_string(view->cause))];
      } else if (const auto* const refused = std::get_if<Refused>(&event.what)) {
        ++counts["refusal " + std::string(to_string(refused->code))];
      }
    }
  }
}

void Evidence::add_to(std::map<std::string, std::uint64_t>& counts, const History& history) const {
  constexpr std::array<std::string_view, fuse_points> fuse_names = {
      "in the middle of sending",
      "",
      "between disk and node",
      "in the middle of a delivery",
      "between the transitional and the regular install",
      "between writes to clients"};
  for (const auto& [name, value] : counts_) {
    counts[name] += value;
  }
  add_packets(counts);
  add_merges(counts);
  add_restarts(counts, history);
  add_sessions(counts, history);
  const ClusterCounts& cluster = cluster_.counts();
  for (std::size_t i = 0; i < fuse_points; ++i) {
    if (!fuse_names[i].empty() && cluster.fuses[i] > 0) {
      counts["crash " + std::string(fuse_names[i])] += cluster.fuses[i];
    }
  }
  counts["crash between the token and its data"] += cluster.crashes_behind_token;
  counts["sends refused"] += cluster.sends_refused;
  counts["packets lost by their type"] += cluster_.network().counts().lost_by_type;
  counts["packets dropped by full queues"] += cluster_.network().counts().queue_full;
  counts["packets too long for their link"] += cluster_.network().counts().too_long;
  counts["writes to disk failed"] += cluster.persists_failed;
}

}  // namespace ringcast::sim
