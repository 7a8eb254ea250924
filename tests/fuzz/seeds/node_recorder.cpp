// SPDX-License-Identifier: Apache-2.0
#include "fuzz/seeds/node_recorder.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "fuzz/check.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::chrono::microseconds wait_unit{50};

std::size_t index_of(NodeId node) {
  std::size_t i = 0;
  while (i < daemon_names.size() && node_id(daemon_names[i]) != node) {
    ++i;
  }
  return i;
}

}  // namespace

NodeRecorder::NodeRecorder(std::size_t self) : self_(self), world_(self) { collect_sent(); }

void NodeRecorder::start_peers() {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (i == self_) continue;
    peers_[i].node = std::make_unique<Node>(world_config(i), nullptr);
    at_peer(i, [&](Node& node, Effects& out) {
      node.on_start(world_.now(), StoredState{}, world_facts(i), out);
    });
    at_peer(i, [&](Node& node, Effects& out) {
      peers_[i].client = node.on_client_open(world_.now(), out);
    });
    ByteWriter frames;
    encode_hello(frames, "peer");
    encode_join(frames, "a");
    at_peer(i, [&](Node& node, Effects& out) {
      node.on_client_bytes(world_.now(), peers_[i].client, frames.view(), out);
    });
  }
}

void NodeRecorder::run_until(const std::string& state, Duration time) {
  const Instant end = world_.now() + time;
  while (world_.state() != state && script_.size() < steps_max && next_event(end)) {
  }
}

void NodeRecorder::step(Action action, std::uint8_t a, std::uint8_t b, std::size_t bytes) {
  apply(Step{.action = action, .a = a, .b = b, .bytes = std::vector<std::byte>(bytes)});
}

void NodeRecorder::peers_publish(std::size_t bytes, Service service) {
  const std::vector<std::byte> payload(bytes);
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (!peers_[i].node) continue;
    SendRequest request;
    request.ticket = ++tickets_;
    request.groups = {"a"};
    request.service = service;
    request.payload = payload;
    ByteWriter frame;
    encode_publish_head(frame, request);
    frame.bytes(payload);
    at_peer(i, [&](Node& node, Effects& out) {
      node.on_client_bytes(world_.now(), peers_[i].client, frame.view(), out);
    });
  }
}

std::vector<std::byte> NodeRecorder::input() const {
  std::vector<std::byte> bytes{static_cast<std::byte>(self_)};
  const auto script = encode_script(script_, std::size_t{1} << 20U);
  bytes.insert(bytes.end(), script.begin(), script.end());
  return bytes;
}

void NodeRecorder::apply(Step step) {
  world_.carry_out(step);
  script_.push_back(std::move(step));
  collect_sent();
}

void NodeRecorder::collect_sent() {
  const auto& sent = world_.sent();
  const std::size_t fresh = world_.sent_ever() - collected_;
  check(fresh <= sent.size(), "no packet was missed");
  for (std::size_t i = sent.size() - fresh; i < sent.size(); ++i) {
    for (const auto to : sent[i].to) {
      wire_.push_back(Flying{self_, index_of(to), BufferRef::copy_of(sent[i].packet.bytes())});
    }
  }
  collected_ = world_.sent_ever();
}

template <class Work>
void NodeRecorder::at_peer(std::size_t peer, Work work) {
  Peer& at = peers_[peer];
  if (!at.node) return;
  Effects effects;
  work(*at.node, effects);
  bool again = true;
  while (true) {
    for (auto& transmit : effects.transmits) {
      at.node->seal(transmit.packet);
      for (const auto to : effects.peer_sets[transmit.peers]) {
        wire_.push_back(Flying{peer, index_of(to), BufferRef::copy_of(transmit.packet.bytes())});
      }
    }
    for (const auto& write : effects.client_writes) {
      Effects none;
      at.node->on_client_written(world_.now(), write.session, write.frames.size(), none);
    }
    if (effects.persist) at.asked = effects.persist;
    if (!again) return;
    effects.clear();
    again = at.node->deliver(world_.now(), effects);
  }
}

void NodeRecorder::settle() {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (!peers_[i].asked) continue;
    const StoredState stored = *std::exchange(peers_[i].asked, std::nullopt);
    at_peer(i, [&](Node& node, Effects& out) { node.on_persisted(world_.now(), stored, out); });
  }
  if (world_.is_asking()) step(Action::persist);
}

void NodeRecorder::arrive(const Flying& flying) {
  if (flying.to != self_) {
    if (is_cut_ && flying.from == self_) return;
    at_peer(flying.to, [&](Node& node, Effects& out) {
      const std::vector<BufferRef> batch{flying.packet};
      node.on_packets(world_.now(), batch, out);
    });
    return;
  }
  const auto bytes = flying.packet.bytes();
  const auto type = read_header(bytes).type;
  const bool is_lost =
      type == PacketType::data && lose_every_ > 0 && ++data_seen_ % lose_every_ == 0;
  if (is_cut_ || is_lost) return;
  Step step{
      .action = Action::packet, .a = static_cast<std::uint8_t>(flying.from), .b = 0, .bytes = {}};
  step.bytes.push_back(static_cast<std::byte>(type));
  const auto body =
      bytes.subspan(packet_header_bytes, bytes.size() - packet_header_bytes - tag_bytes);
  step.bytes.insert(step.bytes.end(), body.begin(), body.end());
  apply(std::move(step));
}

/// One datagram, or the next timer; false when nothing happens before `end`.
bool NodeRecorder::next_event(Instant end) {
  settle();
  if (!wire_.empty()) {
    const Flying flying = std::move(wire_.front());
    wire_.pop_front();
    arrive(flying);
    return true;
  }
  auto first = world_.next_deadline();
  bool is_ours = true;
  for (const auto& peer : peers_) {
    const auto due = peer.node ? peer.node->next_deadline() : std::nullopt;
    if (!due || (first && *first <= *due)) continue;
    first = due;
    is_ours = false;
  }
  if (!first || *first > end) return false;
  if (is_ours) {
    step(Action::timer);
    return true;
  }
  const auto time = std::max(*first, world_.now()) - world_.now();
  const auto units = static_cast<std::uint64_t>((time + wait_unit - Duration{1}) / wait_unit);
  if (units > 0) {
    step(
        Action::wait,
        static_cast<std::uint8_t>(units % 256),
        static_cast<std::uint8_t>(std::min<std::uint64_t>(units / 256, 255)));
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const auto due = peers_[i].node ? peers_[i].node->next_deadline() : std::nullopt;
    if (!due || *due > world_.now()) continue;
    at_peer(i, [&](Node& node, Effects& out) { node.on_timer(world_.now(), out); });
  }
  return true;
}

}  // namespace ringcast::fuzz
