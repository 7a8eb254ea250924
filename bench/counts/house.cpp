// SPDX-License-Identifier: Apache-2.0
#include "counts/house.hpp"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "counts/allocations.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast::bench {
namespace {

constexpr std::size_t batch_max = 64;  // datagrams of one input, as a daemon reads them
constexpr auto step = std::chrono::microseconds{10};
constexpr auto patience = std::chrono::minutes{10};
constexpr std::string_view group = "bench";

NodeConfig config_of(std::size_t self, std::size_t nodes) {
  NodeConfig config;
  config.cluster = "counts";
  for (std::size_t i = 0; i < nodes; ++i) {
    config.daemons.push_back({.name = "n" + std::to_string(i), .address = {}});
  }
  config.name = config.daemons[self].name;
  return config;
}

}  // namespace

struct House::Room {
  Room(std::size_t index, std::size_t nodes)
      : name("n" + std::to_string(index)),
        id(node_id(name)),
        node(config_of(index, nodes), nullptr) {}

  std::string name;
  NodeId id;
  Node node;
  std::deque<BufferRef> network;  ///< datagrams that have arrived
  Effects effects;

  // The client's side of the one session.
  SessionId session;
  std::vector<std::byte> output;  ///< of the daemon, from its first frame on
  ByteWriter input;
  std::size_t members{0};
  std::uint32_t published{0};
  std::uint32_t own{0};       ///< messages received of our own,
  std::uint64_t received{0};  ///< and of all
};

House::House(std::size_t nodes) {
  for (std::size_t i = 0; i < nodes; ++i) {
    rooms_.push_back(std::make_unique<Room>(i, nodes));
  }
  form();
}

House::~House() = default;

void House::form() {
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    Room& room = *rooms_[i];
    StartFacts facts;
    facts.boot_id = static_cast<std::uint32_t>(i) + 1;
    facts.random_seed = i;
    room.node.on_start(now_, StoredState{}, facts, room.effects);
    carry_out(room);
  }
  run_until([this] {
    return std::all_of(rooms_.begin(), rooms_.end(), [this](const auto& room) {
      const NodeStatus status = room->node.status(now_);
      return status.state == "operational" && status.configuration.daemons.size() == rooms_.size();
    });
  });
  for (const auto& room : rooms_) {
    room->session = room->node.on_client_open(now_, room->effects);
    carry_out(*room);
    encode_hello(room->input, "client");
    encode_join(room->input, group);
  }
  run_until([this] {
    return std::all_of(rooms_.begin(), rooms_.end(), [this](const auto& room) {
      return room->members == rooms_.size();
    });
  });
}

std::uint64_t House::exchange(std::uint32_t count, std::size_t bytes, std::uint32_t window) {
  payload_.assign(bytes, std::byte{'x'});
  count_ = count;
  window_ = window;
  for (const auto& room : rooms_) {
    room->published = 0;
    room->own = 0;
    room->received = 0;
  }
  const std::uint64_t all = std::uint64_t{count} * rooms_.size();
  run_until([&] {
    return std::all_of(
        rooms_.begin(), rooms_.end(), [&](const auto& room) { return room->received == all; });
  });
  return all * rooms_.size();
}

template <class Done>
void House::run_until(Done done) {
  const Instant end = now_ + patience;
  while (!done()) {
    bool busy = false;
    for (const auto& room : rooms_) {
      publish(*room);
      busy = turn(*room) || busy;
    }
    if (!busy) advance();
    if (now_ > end) throw std::runtime_error("nothing comes of it in minutes of virtual time");
  }
}

// As the daemon's driver does: packets first, then clients, then what is due.
bool House::turn(Room& room) {
  if (!room.network.empty()) {
    std::vector<BufferRef> batch;
    {
      const Uncounted uncounted;
      batch.reserve(batch_max);
    }
    while (!room.network.empty() && batch.size() < batch_max) {
      batch.push_back(std::move(room.network.front()));
      room.network.pop_front();
    }
    now_ += step;
    room.node.on_packets(now_, batch, room.effects);
    carry_out(room);
    return true;
  }
  const bool has_requests = room.input.size() > 0 || room.node.holds_requests(room.session);
  if (has_requests && room.node.may_read(room.session)) {
    const auto bytes =
        room.node.holds_requests(room.session) ? std::span<const std::byte>{} : room.input.view();
    room.node.on_client_bytes(now_, room.session, bytes, room.effects);
    if (!bytes.empty()) room.input.clear();
    carry_out(room);
    return true;
  }
  return false;
}

void House::carry_out(Room& room) {
  for (bool more = true; more;) {
    for (Transmit& transmit : room.effects.transmits) {
      transmit_to_all(room, transmit);
    }
    const std::size_t written = write(room);
    if (!room.effects.client_closes.empty()) {
      throw std::runtime_error("a session ended: " + room.effects.client_closes.front().reason);
    }
    const auto persist = room.effects.persist;
    room.effects.clear();
    if (persist) room.node.on_persisted(now_, *persist, room.effects);
    if (written > 0) room.node.on_client_written(now_, room.session, written, room.effects);
    more = room.node.deliver(now_, room.effects) || !room.effects.transmits.empty() ||
           !room.effects.client_writes.empty() || room.effects.persist;
  }
  take_frames(room);
}

void House::transmit_to_all(Room& room, Transmit& transmit) {
  room.node.seal(transmit.packet);
  for (const NodeId peer : room.effects.peer_sets[transmit.peers]) {
    const auto to = std::find_if(
        rooms_.begin(), rooms_.end(), [&](const auto& other) { return other->id == peer; });
    const Uncounted uncounted;
    (*to)->network.push_back(BufferRef::copy_of(transmit.packet.bytes()));
  }
}

std::size_t House::write(Room& room) {
  std::size_t written = 0;
  for (const ClientWrite& write : room.effects.client_writes) {
    const Uncounted uncounted;
    const auto bytes = write.frames.joined();
    room.output.insert(room.output.end(), bytes.bytes().begin(), bytes.bytes().end());
    written += write.frames.size();
  }
  return written;
}

void House::take_frames(Room& room) {
  std::size_t at = 0;
  for (;;) {
    const auto rest = std::span<const std::byte>{room.output}.subspan(at);
    const auto length = peek_frame_length(rest);
    if (!length || rest.size() < frame_length_bytes + *length) break;
    const auto frame = decode_server_frame(rest.subspan(frame_length_bytes, *length));
    if (!frame) throw std::runtime_error(frame.error().message);
    if (const auto* const message = std::get_if<MessageFrame>(&*frame)) {
      take_message(room, *message);
    } else if (const auto* const view = std::get_if<ViewEvent>(&*frame)) {
      room.members = view->members.size();
    }
    at += frame_length_bytes + *length;
  }
  room.output.erase(room.output.begin(), room.output.begin() + static_cast<std::ptrdiff_t>(at));
}

void House::take_message(Room& room, const MessageFrame& message) const {
  if (message.payload.size() != payload_.size()) {
    throw std::runtime_error("a message of another size than was sent");
  }
  ++room.received;
  if (message.event.sender_node == room.id) ++room.own;
}

void House::publish(Room& room) {
  if (room.input.size() > 0) return;
  SendRequest request;
  request.groups = {group};
  request.confirm = false;
  request.payload = payload_;
  while (room.published < count_ && room.published - room.own < window_) {
    request.ticket = ++room.published;
    encode_publish_head(room.input, request);
    room.input.bytes(request.payload);
  }
}

// To the next deadline of any node.
void House::advance() {
  Instant next = Instant::max();
  for (const auto& room : rooms_) {
    next = std::min(next, room->node.next_deadline().value_or(Instant::max()));
  }
  if (next == Instant::max()) throw std::runtime_error("no node waits for anything");
  now_ = std::max(now_ + step, next);
  for (const auto& room : rooms_) {
    if (room->node.next_deadline().value_or(Instant::max()) > now_) continue;
    room->node.on_timer(now_, room->effects);
    carry_out(*room);
  }
}

}  // namespace ringcast::bench
