// SPDX-License-Identifier: Apache-2.0
//
// The oracle's judges against memories and datagrams that break what they watch over. The good
// story: a and b work in ring 5, of which a is the representative.
#include <functional>
#include <set>

#include <catch2/catch.hpp>

#include "protocol/ring/flow_control.hpp"
#include "protocol/wire/seal.hpp"
#include "sim/oracle/safe.hpp"
#include "sim/oracle/sessions.hpp"
#include "sim/oracle/wire.hpp"

namespace ringcast::sim {
namespace {

struct Stage {
  Stage() {
    history.names[a.node] = "a";
    history.names[b.node] = "b";
    if (b < a) std::swap(a, b);
    ring = RingId{.seq = 5, .representative = a.node, .boot = a.boot};
    members = {a, b};
  }

  Inspection operational(const NodeKey& self) const {
    Inspection now;
    now.self = self;
    now.phase = RingPhase::operational;
    now.current = RingInspection{};
    now.current->ring = ring;
    now.current->window_ring = ring;
    now.current->members = members;
    now.current->window_packets = 64;
    now.current->flow_window = 20000;
    arm(now, Timer::probe);
    arm(now, Timer::token_loss);
    return now;
  }
  /// It waits for others' joins.
  Inspection gathering(const NodeKey& self) const {
    Inspection now = operational(self);
    now.phase = RingPhase::gather;
    now.due_in = {};
    arm(now, Timer::join);
    arm(now, Timer::consensus);
    return now;
  }
  static void arm(Inspection& now, Timer timer) {
    now.due_in[static_cast<std::size_t>(timer)] = Duration{1};
  }
  static void disarm(Inspection& now, Timer timer) {
    now.due_in[static_cast<std::size_t>(timer)].reset();
  }
  Inspection having(const NodeKey& self, std::uint64_t aru) const {
    Inspection now = operational(self);
    now.current->aru = now.current->high = Seq{aru};
    return now;
  }

  void send(const NodeKey& from, BufferRef packet, std::uint64_t stored = 1000) {
    sealer(from).seal(packet.writable());
    wire.sent(stored, packet);
  }
  Token token(std::uint64_t number, std::uint64_t seq) const {
    Token result;
    result.ring = ring;
    result.token_seq = number;
    result.seq = result.aru = Seq{seq};
    return result;
  }
  Data packet(const NodeKey& by, std::uint64_t seq) const {
    Data data;
    data.ring = ring;
    data.seq = Seq{seq};
    data.originator = by.node;
    const Entry entry{.service = 4, .bytes = BufferRef::copy_of("some bytes")};
    encode_data(data, std::span{&entry, 1});
    return data;
  }
  NullSealer& sealer(const NodeKey& from) {
    return sealers.try_emplace(from, from, cluster_tag("sim")).first->second;
  }

  History history;
  Report report;
  NodeKey a{.node = node_id("a"), .boot = BootId{1}};
  NodeKey b{.node = node_id("b"), .boot = BootId{1}};
  RingId ring;
  std::vector<NodeKey> members;
  std::set<std::pair<NodeKey, Seq>> held;
  std::map<NodeKey, NullSealer> sealers;
  Memories memories{
      history,
      {.message_bytes_max = 1000, .join_pause_max = std::chrono::milliseconds{30}},
      report};
  Wire wire{
      history,
      memories,
      [this](const NodeKey& run, const RingId&, Seq seq) {
        return held.contains({run, seq});
      },
      report};
};

TEST_CASE("the oracle is content with a ring at work") {
  Stage s;
  s.memories.look(s.having(s.a, 0));
  s.memories.look(s.having(s.b, 0));
  s.send(s.a, encode(s.token(2, 0)));
  s.send(s.b, s.packet(s.b, 1).bytes);
  s.memories.look(s.having(s.b, 1));
  Token out = s.token(3, 1);
  out.fcc = datagram_cost(s.packet(s.b, 1).datagram_bytes());
  out.aru_id.reset();
  s.send(s.b, encode(out));
  s.memories.look(s.having(s.a, 1));
  out.token_seq = 4;
  s.send(s.a, encode(out));
  out.token_seq = 5;
  out.fcc = 0;
  s.send(s.b, encode(out));
  s.send(s.b, encode(out));  // again
  CHECK(s.report.ok());
}

TEST_CASE("P1 tells a token that counts twice, and one that went back") {
  Stage s;
  Inspection now = s.operational(s.a);
  now.tokens_accepted = 1;
  now.current->last_token_seq = 3;
  s.memories.look(now);
  now.tokens_accepted = 2;
  s.memories.look(now);
  CHECK(s.report.count("P1") == 1);
  now.current->last_token_seq = 1;
  s.memories.look(now);
  CHECK(s.report.count("P1") == 2);
}

TEST_CASE("P1 tells a second sender of a token, and a copy with another content") {
  Stage s;
  s.memories.look(s.having(s.a, 9));
  s.memories.look(s.having(s.b, 9));
  s.send(s.a, encode(s.token(2, 0)));
  s.send(s.b, encode(s.token(2, 0)));
  CHECK(s.report.count("P1") == 1);

  Stage t;
  t.memories.look(t.having(t.a, 9));
  t.send(t.a, encode(t.token(2, 0)));
  t.send(t.a, encode(t.token(2, 1)));
  CHECK(t.report.count("P1") == 1);
}

TEST_CASE("P2 tells a seq or a safe line that goes back") {
  Stage s;
  s.memories.look(s.having(s.a, 9));
  s.memories.look(s.having(s.b, 9));
  s.send(s.a, encode(s.token(2, 5)));
  s.send(s.b, encode(s.token(3, 4)));
  CHECK(s.report.count("P2") > 0);

  Stage t;
  Inspection now = t.having(t.a, 9);
  t.memories.look(t.having(t.b, 9));
  now.current->safe_line = Seq{4};
  t.memories.look(now);
  CHECK(t.report.ok());
  now.current->safe_line = Seq{3};
  t.memories.look(now);
  CHECK(t.report.count("P2") == 1);
}

TEST_CASE("P2 tells an aru that was raised by who may not, or above what its sender has") {
  Stage s;
  s.memories.look(s.having(s.a, 2));
  s.memories.look(s.having(s.b, 5));
  Token lowered = s.token(2, 5);
  lowered.aru = Seq{2};
  lowered.aru_id = s.a.node;
  s.send(s.a, encode(lowered));
  CHECK(s.report.ok());
  s.send(s.b, encode(s.token(3, 5)));
  CHECK(s.report.count("P2") == 1);

  Stage t;
  t.memories.look(t.having(t.a, 2));
  t.send(t.a, encode(t.token(2, 5)));
  CHECK(t.report.count("P2") == 1);
}

TEST_CASE("P3 tells a safe line above what a member has received") {
  Stage s;
  s.memories.look(s.having(s.b, 3));
  Inspection now = s.having(s.a, 9);
  now.current->safe_line = Seq{4};
  s.memories.look(now);
  CHECK(s.report.count("P3") == 1);
}

TEST_CASE("P4 tells a packet that is discarded too early") {
  for (const bool is_delivered : {false, true}) {
    Stage s;
    s.memories.look(s.having(s.b, 9));
    Inspection now = s.having(s.a, 9);
    now.current->discarded = Seq{4};
    now.current->delivered = Seq{is_delivered ? 4U : 3U};
    now.current->safe_line = Seq{is_delivered ? 3U : 4U};
    s.memories.look(now);
    CHECK(s.report.count("P4") == 1);
  }
}

TEST_CASE("P5 tells requests for what is here, what is too new, and what was never sent") {
  const auto asking = [](std::uint64_t asked, std::uint64_t on_token_before, bool is_here) {
    Stage s;
    s.memories.look(s.having(s.b, 9));
    Inspection now = s.operational(s.a);
    now.current->high = Seq{9};
    s.memories.look(now);
    Token token = s.token(2, on_token_before);
    token.aru = Seq{};
    if (on_token_before > 0) token.aru_id = s.a.node;
    s.send(s.a, encode(token));
    token.seq = Seq{9};
    token.aru_id = s.a.node;
    token.token_seq = 3;
    s.send(s.b, encode(token));
    CHECK(s.report.ok());
    if (is_here) s.held.insert({s.a, Seq{asked}});
    token.token_seq = 4;
    token.rtr = {{.first = Seq{asked}, .count = 1}};
    s.send(s.a, encode(token));
    return s.report.count("P5") + s.report.count("P1");
  };
  CHECK(asking(3, 5, false) == 0);
  CHECK(asking(3, 5, true) == 1);
  CHECK(asking(6, 5, false) == 1);
  CHECK(asking(12, 5, false) == 1);  // not even a token: its own decoder refuses it
}

TEST_CASE("P6 tells a token that counts less than was sent, and a visit that took too much") {
  Stage s;
  s.memories.look(s.having(s.a, 2));
  s.memories.look(s.having(s.b, 2));
  s.send(s.a, s.packet(s.a, 1).bytes);
  Token token = s.token(2, 1);
  s.send(s.a, encode(token));
  token.token_seq = 3;
  s.send(s.b, encode(token));
  token.token_seq = 4;
  s.send(s.a, encode(token));
  CHECK(s.report.count("P6") == 1);

  Stage t;
  Inspection now = t.having(t.a, 40);
  now.current->flow_window = 5000;
  t.memories.look(now);
  t.memories.look(t.having(t.b, 40));
  token = t.token(2, 20);
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    const Data data = t.packet(t.a, seq);
    token.fcc += datagram_cost(data.datagram_bytes());
    t.send(t.a, data.bytes);
  }
  t.send(t.a, encode(token));
  token.token_seq = 3;
  t.send(t.b, encode(token));
  token.token_seq = 4;
  token.fcc = 0;
  t.send(t.a, encode(token));
  CHECK(t.report.count("P6") == 1);
}

TEST_CASE("P6 tells packets far above the safe line") {
  Stage s;
  s.memories.look(s.having(s.a, 40));
  s.send(s.a, encode(s.token(2, 33)));
  CHECK(s.report.count("P6") == 1);
}

TEST_CASE("P7 tells timers that a state does not have, and such that it must have") {
  Stage s;
  Inspection now = s.operational(s.a);
  Stage::arm(now, Timer::consensus);
  s.memories.look(now);
  CHECK(s.report.count("P7") == 1);

  Stage t;
  now = t.operational(t.a);
  Stage::disarm(now, Timer::token_loss);
  t.memories.look(now);
  CHECK(t.report.count("P7") == 1);
  now.holds_token = true;
  Stage::arm(now, Timer::token_hold);
  t.memories.look(now);
  CHECK(t.report.count("P7") == 1);

  now = t.gathering(t.b);
  Stage::disarm(now, Timer::consensus);
  t.memories.look(now);
  CHECK(t.report.count("P7") == 2);
}

TEST_CASE("P7 tells joins that are repeated too slowly") {
  Stage s;
  Inspection now = s.gathering(s.a);
  now.due_in[static_cast<std::size_t>(Timer::join)] = std::chrono::milliseconds{30};
  s.memories.look(now);
  CHECK(s.report.ok());
  now.due_in[static_cast<std::size_t>(Timer::join)] = std::chrono::milliseconds{31};
  s.memories.look(now);
  CHECK(s.report.count("P7") == 1);
}

TEST_CASE("P8 tells what is kept of a ring that is over, and more than a window") {
  Stage s;
  Inspection now = s.operational(s.a);
  now.recovered_seen = 1;
  s.memories.look(now);
  now = s.operational(s.a);
  now.obligation = 1;
  s.memories.look(now);
  now = s.operational(s.a);
  now.current->window_ring.seq = 4;
  s.memories.look(now);
  now = s.operational(s.a);
  now.partial_bytes = 2001;
  s.memories.look(now);
  CHECK(s.report.count("P8") == 4);
  now = s.operational(s.a);
  now.current->high = Seq{65};
  s.memories.look(now);
  CHECK(s.report.count("P8") == 5);
}

TEST_CASE("P9 tells a ring number that is not on the disk, or no longer") {
  Stage s;
  s.send(s.a, encode(Probe{.ring = s.ring, .echo = {}, .members = {s.a.node}}), 5);
  CHECK(s.report.ok());
  s.send(s.a, encode(Probe{.ring = s.ring, .echo = {}, .members = {s.a.node}}), 4);
  CHECK(s.report.count("P9") == 1);
  s.wire.started(s.a.node, 4, Storage::kept);
  CHECK(s.report.count("P9") == 2);
  s.wire.started(s.b.node, 0, Storage::kept);
  s.wire.started(s.a.node, 0, Storage::lost);
  CHECK(s.report.count("P9") == 2);
}

TEST_CASE("P12 tells a header counter that is used twice, also by the run of a clone") {
  Stage s;
  s.send(s.a, encode(Probe{.ring = s.ring, .echo = {}, .members = {s.a.node}}));
  s.sealers.clear();
  s.send(s.a, encode(Wakeup{s.ring}));
  CHECK(s.report.count("P12") == 1);
}

TEST_CASE("P12 knows that one datagram may go to several peers") {
  Stage s;
  BufferRef probe = encode(Probe{.ring = s.ring, .echo = {}, .members = {s.a.node}});
  s.sealer(s.a).seal(probe.writable());
  s.wire.sent(1000, probe);
  s.wire.sent(1000, probe);
  CHECK(s.report.ok());
}

TEST_CASE("E19 and E20 tell a safe delivery before all have installed, or have it") {
  Stage s;
  OrderedMessage message;
  message.configuration = s.ring;
  message.seq = Seq{3};
  message.service = Service::safe;
  const auto deliver = [&] {
    check_safe_delivery(
        s.history,
        s.memories,
        [&](const NodeKey& run, const RingId&, Seq seq) {
          return s.held.contains({run, seq});
        },
        s.a.node,
        s.members,
        message,
        s.report);
  };
  s.memories.look(s.having(s.a, 3));
  Inspection forming = s.having(s.b, 0);
  forming.phase = RingPhase::recovery;
  std::swap(forming.forming, forming.current);
  forming.current = forming.forming;
  forming.current->ring.seq = forming.current->window_ring.seq = 4;
  Stage::disarm(forming, Timer::probe);
  s.memories.look(forming);
  CHECK(s.report.ok());
  deliver();
  CHECK(s.report.count("E19") == 1);
  s.memories.look(s.having(s.b, 2));
  deliver();
  CHECK(s.report.count("E20") == 1);
  s.held.insert({s.b, Seq{3}});
  deliver();
  s.held.clear();
  s.memories.look(s.having(s.b, 3));
  deliver();
  CHECK(s.report.count("E19") == 1);
  CHECK(s.report.count("E20") == 1);
}

TEST_CASE("E29 tells an attempt with a member that the one before was without") {
  Stage s;
  const std::set<NodeKey> alone{s.a};
  const std::set<NodeKey> both{s.a, s.b};
  const auto attempt = [&](std::uint64_t number, const std::set<NodeKey>& with) {
    Inspection now = s.operational(s.a);
    now.phase = RingPhase::recovery;
    now.due_in = {};
    Stage::arm(now, Timer::token_loss);
    now.forming = now.current;
    now.forming->ring.seq = now.forming->window_ring.seq = number;
    now.transitional = &with;
    s.memories.look(now);
  };
  attempt(6, both);
  attempt(7, alone);
  CHECK(s.report.ok());
  attempt(8, both);
  CHECK(s.report.count("E29") == 1);
}

TEST_CASE("E29 tells an obligation that is forgotten before an install") {
  Stage s;
  Inspection now = s.gathering(s.a);
  now.obligation = 1;
  s.memories.look(now);
  now.obligation = 2;
  s.memories.look(now);
  CHECK(s.report.ok());
  now.obligation = 0;
  s.memories.look(now);
  CHECK(s.report.count("E29") == 1);
  now = s.operational(s.a);
  now.current->ring.seq = now.current->window_ring.seq = 6;
  s.memories.look(now);
  CHECK(s.report.count("E29") == 1);
}

TEST_CASE("C3 tells a token that stays where it came, and one that rests in spite of work") {
  Stage s;
  Inspection now = s.operational(s.b);
  now.current->last_token_seq = 4;
  now.tokens_accepted = 1;
  s.memories.look(now);
  s.memories.check_token_left(now, 5);
  CHECK(s.report.ok());
  s.memories.check_token_left(now, 3);
  CHECK(s.report.count("C3") == 1);

  now = s.operational(s.a);
  now.holds_token = true;
  Stage::disarm(now, Timer::token_loss);
  Stage::arm(now, Timer::token_hold);
  now.ready_bytes = 1;
  s.memories.look(now);
  CHECK(s.report.count("C3") == 2);
}

TEST_CASE("C4 tells a session that keeps more than its bound and is not closed") {
  SessionBounds sessions;
  RingConfig ring;
  SessionConfig bounds;
  Report report;
  const auto look = [&](std::uint64_t inputs, SessionInspection session, std::uint64_t queued) {
    const Instant now{std::chrono::milliseconds{5} * static_cast<Duration::rep>(inputs)};
    sessions.look({"a", inputs, now, queued}, {session}, ring, bounds, report);
  };
  const std::uint64_t backlog = bounds.backlog_bytes_max + 1;
  look(10, {.session = SessionId{1}, .backlog_bytes = backlog}, 0);
  look(200, {.session = SessionId{1}, .backlog_bytes = backlog}, 0);
  look(300, {.session = SessionId{2}, .backlog_bytes = backlog}, 0);
  CHECK(report.ok());
  look(600, {.session = SessionId{2}, .backlog_bytes = backlog}, 0);
  CHECK(report.count("C4") == 1);
  look(601, {.session = SessionId{3}, .input_bytes = std::uint64_t{1} << 30U}, 0);
  look(602, {.session = SessionId{3}, .unordered_bytes = std::uint64_t{1} << 30U}, 0);
  look(603, {.session = SessionId{3}}, std::uint64_t{1} << 30U);
  CHECK(report.count("C4") == 4);
}

}  // namespace
}  // namespace ringcast::sim
