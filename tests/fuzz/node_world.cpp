// SPDX-License-Identifier: Apache-2.0
#include "fuzz/node_world.hpp"

#include <algorithm>
#include <chrono>

#include "fuzz/check.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast::fuzz {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* cluster_name = "fuzz";
constexpr std::size_t sent_kept = 64;
constexpr std::size_t clients_max = 12;
constexpr std::string_view last_group = "last.group";
constexpr std::int32_t last_type = 4711;
constexpr std::uint64_t last_ping = 0xfeedf00d;

std::uint64_t shown_ring_seq(const PacketBody& body) {
  struct Shown {
    std::uint64_t operator()(const Data& data) const { return data.ring.seq; }
    std::uint64_t operator()(const Token& token) const { return token.ring.seq; }
    std::uint64_t operator()(const Join& join) const { return join.ring_seq; }
    std::uint64_t operator()(const CommitToken& commit) const { return commit.ring.seq; }
    std::uint64_t operator()(const Probe& probe) const { return probe.ring.seq; }
    std::uint64_t operator()(const Wakeup& wakeup) const { return wakeup.ring.seq; }
  };
  return std::visit(Shown{}, body);
}

/// A packet of the node as another would pass it on: a token one hop further, a commit token
/// with every entry filled in.
BufferRef passed_on(const BufferRef& datagram, std::uint8_t hops, bool fill) {
  auto packet = decode(datagram);
  check(packet.ok(), "the node's own packets can be read");
  if (auto* const token = std::get_if<Token>(&packet->body)) {
    token->token_seq += hops;
    return encode(*token);
  }
  auto* const commit = std::get_if<CommitToken>(&packet->body);
  if (commit == nullptr) return BufferRef::copy_of(datagram.bytes());
  commit->hop += hops;
  for (auto& entry : commit->members) {
    if (!fill || entry.filled) continue;
    entry.filled = true;
    entry.old_ring = RingId{1, entry.member.node, entry.member.boot};
    entry.datagram_bytes = 1472;
    entry.window_bytes = 65536;
    entry.window_packets = 32;
  }
  return encode(*commit);
}

}  // namespace

NodeConfig world_config(std::size_t self) {
  NodeConfig config;
  config.cluster = cluster_name;
  config.name = daemon_names[self];
  for (const auto* const name : daemon_names) {
    config.daemons.push_back(DaemonEntry{.name = name, .address = {}});
  }
  config.ring.window_packets_max = 32;
  config.ring.message_bytes_max = 32768;
  config.ring.window_bytes_max = 131072;
  config.ring.send_queue_bytes_max = 65536;
  config.session.credit_bytes = 16384;
  config.session.backlog_bytes_max = 131072;
  config.session.sessions_max = 4;
  config.session.groups_per_session_max = 4;
  config.session.handshake = seconds{1};
  check(config.ring.validate().ok(), "the limits go together");
  check(config.session.validate(config.ring.message_bytes_max).ok(), "the limits go together");
  return config;
}

NodeKey sender_of(std::uint8_t a) {
  const std::size_t daemon = a & 3U;
  const std::uint32_t run = (a >> 2U) & 3U;
  const char* const name = daemon < daemon_names.size() ? daemon_names[daemon] : "stranger";
  return NodeKey{
      node_id(name), BootId{static_cast<std::uint32_t>(100 + daemon + std::size_t{1000} * run)}};
}

StartFacts world_facts(std::size_t self) {
  StartFacts facts;
  facts.boot_id = sender_of(static_cast<std::uint8_t>(self)).boot.value;
  facts.random_seed = self + 1;
  return facts;
}

NodeWorld::NodeWorld(std::size_t self)
    : self_(self), now_(seconds{1}), node_(world_config(self), nullptr) {
  node_.observe([this](const OrderedEvent& event) { check_order(event); });
  input([this](Effects& out) { node_.on_start(now_, StoredState{}, world_facts(self_), out); });
  persist();
}

// --- the driver's part ---------------------------------------------------------------------

template <class Work>
void NodeWorld::input(Work work) {
  Effects effects;
  work(effects);
  take(effects);
  bool again = true;
  while (again) {
    effects.clear();
    again = node_.deliver(now_, effects);
    take(effects);
  }
}

void NodeWorld::take(Effects& effects) {
  for (auto& transmit : effects.transmits) {
    take_transmit(effects, transmit);
  }
  if (effects.persist) {
    check(!asked_, "one state at a time is on its way to the disk");
    asked_ = effects.persist;
  }
  for (const auto& write : effects.client_writes) {
    for (auto& client : clients_) {
      if (client.id == write.session) client.unwritten += write.frames.size();
    }
    take_frames(write);
  }
  for (const auto& close : effects.client_closes) {
    check(!close.reason.empty(), "whoever is closed is told why");
    for (auto& client : clients_) {
      if (client.id == close.session) client.open = false;
    }
  }
}

void NodeWorld::take_transmit(const Effects& effects, Transmit& transmit) {
  const auto& to = effects.peer_sets.at(transmit.peers);
  const NodeId self = node_id(daemon_names[self_]);
  check(std::find(to.begin(), to.end(), self) == to.end(), "nobody sends to himself");
  node_.seal(transmit.packet);
  const auto packet = decode(transmit.packet);
  check(packet.ok(), "the node's own packets can be read");
  check(shown_ring_seq(packet->body) <= reserved_, "ring numbers shown were reserved [MBR-3]");
  sent_.push_back(Sent{to, BufferRef::copy_of(transmit.packet.bytes())});
  if (sent_.size() > sent_kept) sent_.pop_front();
  ++sent_ever_;
}

void NodeWorld::check_order(const OrderedEvent& event) {
  if (const auto* const message = std::get_if<OrderedMessage>(&event)) {
    check(message->configuration == configuration_, "a message of this configuration");
    check(message->transitional == transitional_, "a message of this kind of configuration");
    const std::pair place{message->seq, message->index};
    check(place > last_message_, "each message once, in one order");
    last_message_ = place;
    return;
  }
  const auto& change = std::get<ConfigurationChange>(event);
  check(change.id.seq > configuration_.seq, "ring numbers ascend");
  check(change.previous == configuration_, "one configuration follows the other");
  check(std::is_sorted(change.members.begin(), change.members.end()), "members in ring order");
  const NodeKey self = sender_of(static_cast<std::uint8_t>(self_));
  const auto& members = change.members;
  check(std::find(members.begin(), members.end(), self) != members.end(), "we are a member");
  transitional_ = change.kind == ConfigurationChange::Kind::transitional;
  if (transitional_) return;
  configuration_ = change.id;
  members_ = members.size();
  last_message_ = {};
}

void NodeWorld::take_frames(const ClientWrite& write) {
  const bool is_last = !clients_.empty() && clients_.back().id == write.session;
  const auto whole = write.frames.joined();
  auto rest = whole.bytes();
  while (!rest.empty()) {
    const auto length = peek_frame_length(rest);
    check(length && frame_length_bytes + *length <= rest.size(), "a frame's length");
    const auto frame = decode_server_frame(rest.subspan(frame_length_bytes, *length));
    check(frame.ok(), "the node's own frames can be read");
    if (is_last) read_frame(*frame);
    rest = rest.subspan(frame_length_bytes + *length);
  }
}

void NodeWorld::read_frame(const ServerFrame& frame) {
  if (const auto* const pong = std::get_if<PongFrame>(&frame)) {
    answered_ = answered_ || pong->request == last_ping;
  }
  if (const auto* const message = std::get_if<MessageFrame>(&frame)) {
    served_ = served_ || message->event.type == last_type;
  }
}

// --- steps ---------------------------------------------------------------------------------

void NodeWorld::carry_out(const Step& step) {
  const bool is_packet = step.action == Action::packet || step.action == Action::reflect;
  if (!is_packet) flush_batch();
  switch (step.action) {
    case Action::packet:
      packet(step);
      break;
    case Action::reflect:
      reflect(step);
      break;
    case Action::timer:
      for (int i = 0; i <= step.b % 16; ++i) {
        if (const auto due = next_deadline()) pass(std::max(*due, now_) - now_);
      }
      break;
    case Action::wait:
      pass(microseconds{50} * (step.a + 256 * step.b));
      break;
    case Action::persist:
      persist();
      break;
    case Action::open:
      open_client();
      break;
    case Action::bytes:
      send(step.a, step.bytes);
      break;
    case Action::ask:
      ask(step);
      break;
    case Action::written:
      if (auto* const found = client(step.a)) {
        const auto count = std::exchange(found->unwritten, 0);
        input([&](Effects& out) { node_.on_client_written(now_, found->id, count, out); });
      }
      break;
    case Action::closed:
      if (auto* const found = client(step.a); found != nullptr && found->open) {
        found->open = false;
        input([&](Effects& out) { node_.on_client_closed(now_, found->id, out); });
      }
      break;
    case Action::reload:
      reload(step);
      break;
    case Action::leave:
      leaving_ = true;
      input([&](Effects& out) { node_.on_leave(now_, out); });
      break;
  }
  offer_held();
}

void NodeWorld::packet(const Step& step) {
  if (step.bytes.empty()) return;
  const auto body = std::span{step.bytes}.subspan(1);
  auto datagram = BufferRef::allocate(packet_header_bytes + body.size() + tag_bytes);
  const auto room = datagram.writable();
  std::fill(room.begin(), room.end(), std::byte{0});
  room[3] = step.bytes[0];
  std::copy(body.begin(), body.end(), room.subspan(packet_header_bytes).begin());
  feed(step.a, std::move(datagram));
}

/// Bytes: hops, whether to fill in, then pairs of an offset into the body and a new byte.
void NodeWorld::reflect(const Step& step) {
  if (sent_.empty()) return;
  const auto at = [&](std::size_t i) {
    return i < step.bytes.size() ? std::to_integer<std::uint8_t>(step.bytes[i]) : std::uint8_t{0};
  };
  const auto& chosen = sent_[sent_.size() - 1 - step.b % sent_.size()];
  auto datagram = passed_on(chosen.packet, at(0), (at(1) & 1U) != 0);
  const auto body = datagram.writable().subspan(
      packet_header_bytes, datagram.size() - packet_header_bytes - tag_bytes);
  for (std::size_t i = 2; i + 1 < step.bytes.size() && !body.empty(); i += 2) {
    body[at(i) % body.size()] = step.bytes[i + 1];
  }
  feed(step.a, std::move(datagram));
}

void NodeWorld::feed(std::uint8_t a, BufferRef datagram) {
  const NodeKey sender = sender_of(a);
  auto& sealer = sealers_.try_emplace(sender, sender, cluster_tag(cluster_name)).first->second;
  sealer.seal(datagram.writable());
  batch_.push_back(std::move(datagram));
  if ((a & in_one_batch) == 0) flush_batch();
}

void NodeWorld::flush_batch() {
  if (batch_.empty()) return;
  const auto batch = std::exchange(batch_, {});
  input([&](Effects& out) { node_.on_packets(now_, batch, out); });
}

void NodeWorld::pass(Duration time) {
  now_ += time;
  const auto due = next_deadline();
  if (due && *due <= now_) input([&](Effects& out) { node_.on_timer(now_, out); });
}

void NodeWorld::persist() {
  if (!asked_) return;
  const StoredState stored = *std::exchange(asked_, std::nullopt);
  reserved_ = stored.ring_seq_reserved;
  input([&](Effects& out) { node_.on_persisted(now_, stored, out); });
}

void NodeWorld::reload(const Step& step) {
  NodeConfig config = world_config(self_);
  for (std::size_t i = 0; i < daemon_names.size(); ++i) {
    if ((step.a >> i & 1U) == 0 || i == self_) continue;
    std::erase_if(config.daemons, [&](const auto& d) { return d.name == daemon_names[i]; });
  }
  if ((step.b & 1U) != 0) config.ring.message_bytes_max = 1024;
  if ((step.b & 2U) != 0) config.session.groups_per_session_max = 1;
  if ((step.b & 4U) != 0) config.session.credit_bytes = 1;
  input([&](Effects& out) {
    check(node_.on_reload(now_, config, out).ok(), "a sound configuration is taken");
  });
}

// --- clients -------------------------------------------------------------------------------

NodeWorld::Client* NodeWorld::client(std::uint8_t a) {
  return clients_.empty() ? nullptr : &clients_[a % clients_.size()];
}

void NodeWorld::open_client() {
  if (clients_.size() >= clients_max) return;
  SessionId id;
  clients_.emplace_back();
  Effects effects;
  id = node_.on_client_open(now_, effects);
  clients_.back().id = id;
  take(effects);
}

void NodeWorld::send(std::size_t at, std::span<const std::byte> bytes) {
  auto* const found = client(static_cast<std::uint8_t>(at));
  if (found == nullptr || !found->open || !node_.may_read(found->id)) return;
  const auto id = found->id;
  input([&](Effects& out) { node_.on_client_bytes(now_, id, bytes, out); });
}

void NodeWorld::offer_held() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (!clients_[i].open || !node_.holds_requests(clients_[i].id)) continue;
    send(i, {});
  }
}

/// The first byte chooses the name or group; a payload is all of them.
void NodeWorld::ask(const Step& step) {
  const unsigned choice = step.bytes.empty() ? 0 : std::to_integer<unsigned>(step.bytes[0]);
  const std::string word(1, static_cast<char>('a' + choice % 6));
  SendRequest publish;
  publish.ticket = step.b + 1U;
  publish.groups = {word};
  publish.service = static_cast<Service>(step.b / 16 % 5);
  publish.payload = step.bytes;
  ByteWriter frame;
  switch (step.b % 9) {
    case 0:
      encode_hello(frame, word);
      break;
    case 1:
      encode_join(frame, word);
      break;
    case 2:
      encode_leave(frame, word);
      break;
    case 3:
    case 4:
      encode_publish_head(frame, publish);
      frame.bytes(publish.payload);
      break;
    case 5:
      encode_status_request(frame, step.b);
      break;
    case 6:
      encode_groups_request(frame, step.b, {});
      break;
    case 7:
      encode_ping(frame, step.b);
      break;
    default:
      encode_goodbye(frame);
      break;
  }
  send(step.a, frame.view());
}

// --- afterwards ----------------------------------------------------------------------------

bool NodeWorld::works_alone() const { return members_ == 1 && state() == "operational"; }

void NodeWorld::wait_until(bool (NodeWorld::*done)() const, Duration limit, std::string_view what) {
  const Instant end = now_ + limit;
  // A node that is busy all the time although nothing happens is as bad as one that hangs.
  constexpr int inputs_max = 2000;
  int inputs = 0;
  while (!(this->*done)() && now_ < end) {
    check(++inputs < inputs_max, "a node left alone has little to do");
    persist();
    const auto due = next_deadline();
    if (!due) break;
    pass(std::max(*due, now_) - now_);
    offer_held();
  }
  check((this->*done)(), what);
}

void NodeWorld::check_recovers() {
  flush_batch();
  persist();
  for (auto& client : clients_) {
    if (!std::exchange(client.open, false)) continue;
    input([&](Effects& out) { node_.on_client_closed(now_, client.id, out); });
  }
  if (leaving_) {
    wait_until(&NodeWorld::has_stopped, seconds{2}, "a node that leaves stops");
    return;
  }
  wait_until(&NodeWorld::works_alone, seconds{15}, "a node left alone works again");
  serve_a_client();
}

void NodeWorld::serve_a_client() {
  const NodeConfig config = world_config(self_);
  input([&](Effects& out) { check(node_.on_reload(now_, config, out).ok(), "reloads"); });
  clients_.clear();
  open_client();
  ByteWriter frames;
  SendRequest publish;
  publish.ticket = 1;
  publish.groups = {last_group};
  publish.type = last_type;
  encode_hello(frames, "last");
  encode_join(frames, last_group);
  encode_publish_head(frames, publish);
  encode_ping(frames, last_ping);
  send(0, frames.view());
  wait_until(&NodeWorld::is_served, seconds{1}, "a new client is served");
  check(answered_, "a new client is answered");
}

}  // namespace ringcast::fuzz
