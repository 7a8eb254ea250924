// SPDX-License-Identifier: Apache-2.0
//
// Synthetic: histories written by hand, for tests of the checkers. Two daemons a and b start
// alone, form ring 2 and stay in it; a client at each is in group g. Whatever a test changes in
// that good story must make the checker of that property, and only needs it, speak up.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

class Synthetic {
 public:
  ProcessIndex start(const std::string& daemon, std::uint32_t boot) {
    Process process;
    process.daemon = daemon;
    process.node = node_id(daemon);
    process.boot = BootId{boot};
    process.incarnation = boot;
    process.started = tick();
    history.tells_origins = false;  // until originate()
    return history.start_process(std::move(process));
  }

  [[nodiscard]] NodeKey key(ProcessIndex p) const {
    return {.node = history.processes[p].node, .boot = history.processes[p].boot};
  }

  [[nodiscard]] RingId ring(std::uint64_t seq, ProcessIndex representative) const {
    const NodeKey by = key(representative);
    return {.seq = seq, .representative = by.node, .boot = by.boot};
  }

  std::vector<NodeKey> members(const std::vector<ProcessIndex>& processes) const {
    std::vector<NodeKey> keys;
    keys.reserve(processes.size());
    for (const ProcessIndex p : processes) {
      keys.push_back(key(p));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  void regular(ProcessIndex p, RingId id, RingId previous, const std::vector<ProcessIndex>& with) {
    install(p, ConfigurationChange::Kind::regular, id, previous, with);
  }
  void transitional(
      ProcessIndex p, RingId previous, RingId next, const std::vector<ProcessIndex>& with) {
    install(p, ConfigurationChange::Kind::transitional, next, previous, with);
  }

  void originate(ProcessIndex p, RingId id, std::uint64_t seq, std::uint64_t count = 1) {
    history.tells_origins = true;
    history.originated(p, tick(), {.ring = id, .seq = Seq{seq}, .count = count});
  }

  /// A message whose payload is `content`.
  OrderedMessage message(
      RingId id, std::uint64_t seq, ProcessIndex by, std::span<const std::byte> content) const {
    OrderedMessage result;
    result.configuration = id;
    result.seq = Seq{seq};
    result.originator = key(by).node;
    result.payload = BufferRef::copy_of(content);
    return result;
  }
  OrderedMessage message(RingId id, std::uint64_t seq, ProcessIndex by) const {
    const std::string text = "message " + std::to_string(seq);
    return message(id, seq, by, std::as_bytes(std::span{text.data(), text.size()}));
  }

  void deliver(ProcessIndex p, const OrderedMessage& message) {
    history.ordered(p, tick(), message);
  }

  /// A client that was welcomed.
  std::uint64_t connect(ProcessIndex p, const std::string& name) {
    SessionRecord& session = history.open_session(history.processes[p].daemon, p, tick());
    session.name = name;
    return session.client;
  }

  void client(std::uint64_t id, ClientHistoryEvent event) {
    history.add(id, tick(), std::move(event));
  }

  [[nodiscard]] Member member(std::uint64_t client) const {
    const SessionRecord& session = history.session(client);
    return {.node = session.node, .name = session.name, .session = SessionId{}};
  }

  [[nodiscard]] ViewEvent view(
      RingId id,
      std::uint64_t number,
      Cause cause,
      const std::vector<std::uint64_t>& who,
      const std::vector<std::uint64_t>& in) const {
    ViewEvent event;
    event.group = "g";
    event.id = {.configuration = id, .next = {}, .number = number};
    event.cause = cause;
    for (const std::uint64_t c : who) {
      event.who.push_back(member(c));
    }
    for (const std::uint64_t c : in) {
      event.members.push_back(member(c));
    }
    std::sort(event.members.begin(), event.members.end());
    event.with_me = event.members;
    return event;
  }

  [[nodiscard]] Published publish(std::uint64_t client, std::uint32_t number) const {
    Published published;
    published.ticket = number;
    published.id = {.client = client, .number = number};
    published.groups = {"g"};
    published.size = 64;
    return published;
  }

  /// The same message as a client sees it.
  [[nodiscard]] Received received(const OrderedMessage& message, std::uint64_t sender) const {
    Received result;
    result.event.configuration = message.configuration;
    result.event.seq = message.seq;
    result.event.index = message.index;
    result.event.sender_node = message.originator;
    result.event.sender_name = history.session(sender).name;
    result.event.groups = {"g"};
    result.event.service = message.service;
    result.event.transitional = message.transitional;
    const Content content = look_into(message.payload.joined().bytes());
    result.payload = content.payload;
    result.hash = content.hash;
    return result;
  }

  Instant tick() { return now_ += std::chrono::milliseconds{1}; }

  History history;

 private:
  void install(
      ProcessIndex p,
      ConfigurationChange::Kind kind,
      RingId id,
      RingId previous,
      const std::vector<ProcessIndex>& with) {
    ConfigurationChange change;
    change.kind = kind;
    change.id = id;
    change.previous = previous;
    change.members = members(with);
    history.ordered(p, tick(), change);
  }

  Instant now_;
};

/// a and b alone, then together in ring 2; both deliver packets 1 (of a) and 2 (of b).
struct Story : Synthetic {
  Story() {
    a = start("a", 1);
    b = start("b", 1);
    alone_a = ring(1, a);
    alone_b = ring(1, b);
    both = ring(2, a);
    regular(a, alone_a, {}, {a});
    regular(b, alone_b, {}, {b});
    transitional(a, alone_a, both, {a});
    regular(a, both, alone_a, {a, b});
    transitional(b, alone_b, both, {b});
    regular(b, both, alone_b, {a, b});
  }

  void originate_two() {
    originate(a, both, 1);
    originate(b, both, 2);
  }

  Report check(bool settled = false) {
    history.settled = settled;
    history.finished = tick();
    Report report;
    check_all(history, report);
    return report;
  }

  ProcessIndex a{0};
  ProcessIndex b{0};
  RingId alone_a;
  RingId alone_b;
  RingId both;
};

/// Client x at a, client y at b, both in g, a message of x delivered to both.
struct GroupStory : Story {
  GroupStory() {
    x = connect(a, "x");
    y = connect(b, "y");
    const ConfigurationEvent configuration{
        .id = both, .daemons = {members({a, b})[0].node, members({a, b})[1].node}};
    client(x, configuration);
    client(y, configuration);
    originate(a, both, 1);
    originate(b, both, 2);
    originate(a, both, 3);
    for (const std::uint64_t c : {x, y}) {
      client(c, AskedJoin{"g"});
    }
    client(x, publish(x, 1));
    first = message(both, 3, a, make_payload({.client = x, .number = 1}, 64));
  }

  void deliver_control(ProcessIndex p) {
    deliver(p, message(both, 1, a));
    deliver(p, message(both, 2, b));
  }
  void join_both() {
    deliver_control(a);
    deliver_control(b);
    client(x, view(both, 1, Cause::join, {x}, {x}));
    client(x, view(both, 2, Cause::join, {y}, {x, y}));
    ViewEvent of_y = view(both, 2, Cause::join, {y}, {x, y});
    client(y, of_y);
  }
  void deliver_first() {
    deliver(a, first);
    deliver(b, first);
  }
  void receive_first() {
    client(x, received(first, x));
    client(x, ConfirmEvent{.ticket = 1, .configuration = both, .seq = Seq{3}});
    client(y, received(first, x));
  }

  std::uint64_t x{0};
  std::uint64_t y{0};
  OrderedMessage first;
};

}  // namespace ringcast::sim
