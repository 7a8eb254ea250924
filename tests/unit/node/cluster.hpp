// SPDX-License-Identifier: Apache-2.0
//
// A few real Nodes in one process under a virtual clock, joined by a wire that loses nothing:
// the smallest driver of node.hpp's contract. Faults are the simulator's business; here a host
// can be cut off, no more. Every datagram is checked against the sender's reserve [MBR-3], every
// safe message delivered in a regular configuration against what its members hold by then [DLV-2].
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/bytes.hpp"
#include "protocol/node.hpp"
#include "protocol/session/frames.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast::node_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The highest ring number `body` shows the world as its sender's own.
inline std::uint64_t shown_ring_seq(const PacketBody& body) {
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

class Cluster {
 public:
  explicit Cluster(
      const std::vector<std::string>& names, SessionConfig session = {}, RingConfig ring = {}) {
    NodeConfig config;
    config.cluster = "test";
    config.ring = ring;
    config.session = session;
    for (const auto& name : names) {
      config.daemons.push_back(DaemonEntry{.name = name, .address = {}});
    }
    for (const auto& name : names) {
      config.name = name;
      hosts_.push_back(std::make_unique<Host>());
      hosts_.back()->config = config;
      hosts_.back()->id = node_id(name);
    }
  }

  // --- daemons -----------------------------------------------------------------------------

  void start(std::size_t at) {
    Host& host = *hosts_[at];
    host.node = std::make_unique<Node>(host.config, nullptr);
    host.node->observe([this, &host](const OrderedEvent& event) {
      check_safe(host, event);
      host.ordered.push_back(event);
    });
    host.connected = true;
    StartFacts facts;
    facts.boot_id = ++boots_;
    facts.random_seed = boots_;
    const StoredState stored{host.reserved};
    input(at, [&](Node& node, Effects& out) { node.on_start(now_, stored, facts, out); });
  }
  void start_all() {
    for (std::size_t at = 0; at < hosts_.size(); ++at) {
      start(at);
    }
  }
  void crash(std::size_t at) {
    hosts_[at]->node.reset();
    hosts_[at]->asked.reset();
    hosts_[at]->connected = false;
  }
  void leave(std::size_t at) {
    input(at, [&](Node& node, Effects& out) { node.on_leave(now_, out); });
  }
  /// Off: what a node asks to be stored stays in asked() until persist().
  void persist_at_once(bool on) { persist_at_once_ = on; }
  [[nodiscard]] const std::optional<StoredState>& asked(std::size_t at) const {
    return hosts_[at]->asked;
  }
  void persist(std::size_t at) {
    Host& host = *hosts_[at];
    const StoredState stored = *std::exchange(host.asked, std::nullopt);
    host.reserved = stored.ring_seq_reserved;
    input(at, [&](Node& node, Effects& out) { node.on_persisted(now_, stored, out); });
  }
  void receive(std::size_t at, const BufferRef& datagram) {
    note_held(*hosts_[at], datagram);
    const std::vector<BufferRef> batch{datagram};
    input(at, [&](Node& node, Effects& out) { node.on_packets(now_, batch, out); });
  }

  // --- time --------------------------------------------------------------------------------

  void run(Duration time) {
    const Instant end = now_ + time;
    while (now_ < end && step(end)) {
    }
    now_ = std::max(now_, end);
  }
  /// Runs until `done` or for `limit` at most; the time it took.
  template <class Done>
  Duration run_until(Done done, Duration limit) {
    const Instant from = now_;
    while (!done() && now_ - from < limit) {
      if (!step(from + limit)) now_ = from + limit;
    }
    return now_ - from;
  }
  [[nodiscard]] Instant now() const { return now_; }

  // --- clients -----------------------------------------------------------------------------

  SessionId connect(std::size_t at) {
    SessionId id;
    input(at, [&](Node& node, Effects& out) { id = node.on_client_open(now_, out); });
    hosts_[at]->sessions.push_back(id);
    return id;
  }
  template <class Encode>
  void send(std::size_t at, SessionId session, Encode encode) {
    ByteWriter frame;
    encode(frame);
    send_bytes(at, session, frame.view());
  }
  void send_bytes(std::size_t at, SessionId session, std::span<const std::byte> bytes) {
    input(at, [&](Node& node, Effects& out) { node.on_client_bytes(now_, session, bytes, out); });
  }
  SessionId client(std::size_t at, std::string_view name) {
    const SessionId id = connect(at);
    send(at, id, [&](ByteWriter& out) { encode_hello(out, name); });
    return id;
  }
  void publish(
      std::size_t at,
      SessionId session,
      std::string_view group,
      Service service,
      std::span<const std::byte> payload) {
    SendRequest request;
    request.ticket = ++tickets_;
    request.groups = {group};
    request.service = service;
    request.payload = payload;
    send(at, session, [&](ByteWriter& out) {
      encode_publish_head(out, request);
      out.bytes(payload);
    });
  }
  void publish(std::size_t at, SessionId session, Service service, std::string_view text) {
    publish(at, session, "g", service, std::as_bytes(std::span{text.data(), text.size()}));
  }
  void reads(bool on) { clients_read_ = on; }
  /// Frames of one kind the session was sent since the last call for that kind.
  template <class Frame>
  std::vector<Frame> frames(std::size_t at, SessionId session) {
    std::vector<Frame> found;
    std::vector<BufferRef> others;
    for (const auto& bytes : hosts_[at]->frames[session]) {
      const auto frame = decode_server_frame(bytes.bytes().subspan(frame_length_bytes));
      REQUIRE(frame);
      if (const auto* const match = std::get_if<Frame>(&*frame)) {
        found.push_back(*match);
        hosts_[at]->taken.push_back(bytes);  // what was found may refer to it
      } else {
        others.push_back(bytes);
      }
    }
    hosts_[at]->frames[session] = std::move(others);
    return found;
  }
  [[nodiscard]] bool was_closed(std::size_t at, SessionId session) const {
    const auto& closed = hosts_[at]->closed;
    return std::find(closed.begin(), closed.end(), session) != closed.end();
  }

  // --- what happened -----------------------------------------------------------------------

  Node& node(std::size_t at) { return *hosts_[at]->node; }
  [[nodiscard]] NodeStatus status(std::size_t at) const { return hosts_[at]->node->status(now_); }
  /// Everything the ring of that host handed up since its start.
  [[nodiscard]] const std::vector<OrderedEvent>& ordered(std::size_t at) const {
    return hosts_[at]->ordered;
  }
  [[nodiscard]] std::vector<OrderedMessage> messages(std::size_t at, const RingId& ring) const {
    std::vector<OrderedMessage> all;
    for (const auto& event : hosts_[at]->ordered) {
      const auto* const message = std::get_if<OrderedMessage>(&event);
      if (message != nullptr && message->configuration == ring) all.push_back(*message);
    }
    return all;
  }
  [[nodiscard]] std::uint64_t datagrams_sent(std::size_t at) const { return hosts_[at]->sent; }
  /// The last configuration installed there.
  [[nodiscard]] ConfigurationChange configuration(std::size_t at) const {
    ConfigurationChange last;
    for (const auto& event : hosts_[at]->ordered) {
      if (const auto* const change = std::get_if<ConfigurationChange>(&event)) last = *change;
    }
    return last;
  }
  /// All that are up are operational, open for clients, in one configuration of `members`.
  [[nodiscard]] bool is_formed(std::size_t members) const {
    std::optional<RingId> ring;
    for (std::size_t at = 0; at < hosts_.size(); ++at) {
      if (!hosts_[at]->node || hosts_[at]->node->stopped()) continue;
      const auto last = configuration(at);
      if (last.members.size() != members || last.kind != ConfigurationChange::Kind::regular) {
        return false;
      }
      if (status(at).state != "operational" || (ring && *ring != last.id)) return false;
      ring = last.id;
    }
    return ring.has_value();
  }
  void form() {
    start_all();
    const auto count = hosts_.size();
    (void)run_until([&] { return is_formed(count); }, seconds{5});
    REQUIRE(is_formed(count));
  }

 private:
  struct Host {
    NodeConfig config;
    NodeId id;
    std::unique_ptr<Node> node;
    bool connected{false};
    std::vector<OrderedEvent> ordered;
    std::vector<NodeKey> members;            // of the last regular configuration
    std::set<std::pair<RingId, Seq>> holds;  // every packet that came or was originated
    std::optional<StoredState> asked;
    std::uint64_t reserved{0};
    std::uint64_t sent{0};
    std::map<SessionId, std::vector<BufferRef>> frames;
    std::vector<BufferRef> taken;
    std::vector<SessionId> sessions;
    std::vector<SessionId> closed;
  };
  struct Flying {
    std::size_t to;
    BufferRef datagram;
  };

  static void note_held(Host& host, const BufferRef& datagram) {
    const auto packet = decode(datagram);
    if (!packet) return;
    const auto* const data = std::get_if<Data>(&packet->body);
    if (data == nullptr) return;
    host.holds.emplace(data->ring, data->seq);
    if (!data->recovered) return;
    const auto old = decode_recovered(*data);
    REQUIRE(old);
    host.holds.emplace(old->ring, old->seq);
  }

  void check_safe(Host& at, const OrderedEvent& event) {
    if (const auto* const change = std::get_if<ConfigurationChange>(&event)) {
      if (change->kind == ConfigurationChange::Kind::regular) at.members = change->members;
      return;
    }
    const auto& message = std::get<OrderedMessage>(event);
    if (message.service != Service::safe || message.transitional || at.members.size() == 1) return;
    for (const auto& member : at.members) {
      for (const auto& host : hosts_) {
        if (host->id != member.node) continue;
        REQUIRE(host->holds.contains({message.configuration, message.seq}));
      }
    }
  }

  template <class Work>
  void input(std::size_t at, Work work) {
    Host& host = *hosts_[at];
    Effects effects;
    work(*host.node, effects);
    carry_out(at, effects);
    bool again = true;
    while (again) {
      effects.clear();
      again = host.node->deliver(now_, effects);
      carry_out(at, effects);
    }
    offer_held(at);
  }

  /// What was read before and had to wait.
  void offer_held(std::size_t at) {
    for (const auto session : hosts_[at]->sessions) {
      const Node& node = *hosts_[at]->node;
      if (node.holds_requests(session) && node.may_read(session)) send_bytes(at, session, {});
    }
  }

  void carry_out(std::size_t at, Effects& effects) {
    Host& host = *hosts_[at];
    for (auto& transmit : effects.transmits) {
      for (const auto peer : effects.peer_sets[transmit.peers]) {
        transmit_to(host, peer, transmit.packet);
      }
    }
    if (effects.persist) host.asked = effects.persist;
    for (auto& write : effects.client_writes) {
      add_frames(host.frames[write.session], write.frames.joined());
      if (clients_read_) written_.push_back({at, write.session, write.frames.size()});
    }
    for (const auto& close : effects.client_closes) {
      host.closed.push_back(close.session);
    }
  }

  static void add_frames(std::vector<BufferRef>& frames, const BufferRef& written) {
    for (std::size_t start = 0; start < written.size();) {
      const auto length = peek_frame_length(written.bytes().subspan(start));
      REQUIRE(length);
      REQUIRE(frame_length_bytes + *length <= written.size() - start);
      frames.push_back(written.slice(start, frame_length_bytes + *length));
      start += frame_length_bytes + *length;
    }
  }

  void transmit_to(Host& host, NodeId peer, BufferRef& packet) {
    ++host.sent;
    host.node->seal(packet);
    note_held(host, packet);
    const auto decoded = decode(packet);
    REQUIRE(decoded);
    REQUIRE(shown_ring_seq(decoded->body) <= host.reserved);
    for (std::size_t to = 0; to < hosts_.size(); ++to) {
      if (hosts_[to]->id != peer || !hosts_[to]->connected || !host.connected) continue;
      wire_.push_back(Flying{to, BufferRef::copy_of(packet.bytes())});
    }
  }

  struct Written {
    std::size_t at;
    SessionId session;
    std::size_t bytes;
  };

  void settle() {
    while (!written_.empty()) {
      const Written written = written_.front();
      written_.pop_front();
      if (!hosts_[written.at]->node) continue;
      input(written.at, [&](Node& node, Effects& out) {
        node.on_client_written(now_, written.session, written.bytes, out);
      });
    }
    for (std::size_t at = 0; at < hosts_.size() && persist_at_once_; ++at) {
      if (hosts_[at]->node && hosts_[at]->asked) persist(at);
    }
  }

  /// One datagram or one timer; false when nothing happens before `end`.
  bool step(Instant end) {
    settle();
    std::optional<std::size_t> due;
    std::optional<Instant> earliest;
    for (std::size_t at = 0; at < hosts_.size(); ++at) {
      if (!hosts_[at]->node) continue;
      const auto deadline = hosts_[at]->node->next_deadline();
      if (!deadline || (earliest && *deadline >= *earliest)) continue;
      earliest = deadline;
      due = at;
    }
    if (!wire_.empty() && (!earliest || *earliest > now_)) {
      const Flying flying = wire_.front();
      wire_.pop_front();
      now_ += std::chrono::microseconds{5};
      if (hosts_[flying.to]->node && hosts_[flying.to]->connected) {
        receive(flying.to, flying.datagram);
      }
      return true;
    }
    if (!earliest || *earliest > end) return false;
    now_ = std::max(now_, *earliest);
    input(*due, [&](Node& node, Effects& out) { node.on_timer(now_, out); });
    return true;
  }

  std::vector<std::unique_ptr<Host>> hosts_;
  std::deque<Flying> wire_;
  std::deque<Written> written_;
  Instant now_{seconds{1}};
  std::uint32_t boots_{0};
  std::uint64_t tickets_{0};
  bool persist_at_once_{true};
  bool clients_read_{true};
};

}  // namespace ringcast::node_test
