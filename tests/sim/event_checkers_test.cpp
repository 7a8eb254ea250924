// SPDX-License-Identifier: Apache-2.0
//
// The checkers of states, reasons, isolation and ends against histories that break them.
#include <catch2/catch.hpp>

#include "protocol/groups/envelope.hpp"
#include "sim/synthetic.hpp"

namespace ringcast::sim {
namespace {

TEST_CASE("E9 tells a cycle of three over a merge, of which no two daemons see two") {
  Synthetic s;
  const ProcessIndex a = s.start("a", 1);
  const ProcessIndex b = s.start("b", 1);
  const ProcessIndex c = s.start("c", 1);
  const std::vector<ProcessIndex> all{a, b, c};
  for (const ProcessIndex p : all) {
    s.regular(p, s.ring(1, p), {}, {p});
  }
  const RingId merged = s.ring(2, a);
  const RingId after = s.ring(3, a);
  // Each pair of messages is in order where it is seen; only all three together are not.
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> seen{{1, 2}, {2, 3}, {3, 1}};
  for (const ProcessIndex p : all) {
    s.transitional(p, s.ring(1, p), merged, {p});
    s.regular(p, merged, s.ring(1, p), all);
    s.deliver(p, s.message(merged, seen[p].first, a));
    s.deliver(p, s.message(merged, seen[p].second, a));
    s.transitional(p, merged, after, {p});
    s.regular(p, after, merged, all);
  }
  Report report;
  check_acyclic(Timeline{s.history}, report);
  CHECK(report.count("E9") == 1);
}

TEST_CASE("E9 tells a message before a configuration that it came after elsewhere") {
  // a: merged, message; b: message, merged. The message belongs to both alike.
  Synthetic s;
  const ProcessIndex a = s.start("a", 1);
  const ProcessIndex b = s.start("b", 1);
  const RingId merged = s.ring(2, a);
  s.regular(a, merged, {}, {a, b});
  s.deliver(a, s.message(merged, 1, a));
  s.deliver(b, s.message(merged, 1, a));
  s.regular(b, merged, {}, {a, b});
  Report report;
  check_acyclic(Timeline{s.history}, report);
  CHECK(report.count("E9") == 1);
}

TEST_CASE("E13 tells a client's messages out of order, though to different groups") {
  GroupStory s;
  Published second = s.publish(s.x, 2);
  second.groups = {"other"};
  s.client(s.x, second);
  s.originate(s.a, s.both, 4);
  const auto late = s.message(s.both, 3, s.a, make_payload({.client = s.x, .number = 2}, 64));
  OrderedMessage first = s.first;
  first.seq = Seq{4};
  s.deliver(s.b, late);
  s.deliver(s.b, first);
  CHECK(s.check().count("E13") == 1);
}

TEST_CASE("E17 tells what is delivered behind a gap although it depends on what is missing") {
  Story s;
  // b sends 2 after it has delivered 1 of a; a third daemon's part is played by another run.
  s.originate(s.a, s.both, 1);
  s.deliver(s.b, s.message(s.both, 1, s.a));
  s.originate(s.b, s.both, 2);
  s.deliver(s.b, s.message(s.both, 2, s.b));
  const RingId next = s.ring(3, s.a);
  s.transitional(s.a, s.both, next, {s.a});
  OrderedMessage behind = s.message(s.both, 2, s.b);
  behind.transitional = true;
  s.deliver(s.a, behind);
  s.regular(s.a, next, s.both, {s.a});
  CHECK(s.check().count("E17") == 1);
}

TEST_CASE("E21 tells who ends in a configuration that a member has left") {
  Story s;
  s.transitional(s.b, s.both, s.ring(3, s.b), {s.b});
  s.regular(s.b, s.ring(3, s.b), s.both, {s.b});
  CHECK(s.check(true).count("E21") == 1);

  Story t;
  t.history.end_process(t.b, t.tick(), Ending::crashed);
  CHECK(t.check(true).count("E21") == 1);
}

TEST_CASE("E22 tells a configuration that outlives its member for too long") {
  const auto ending = [](Duration waits) {
    Story s;
    s.history.patience = std::chrono::milliseconds{100};
    s.history.end_process(s.b, s.tick(), Ending::crashed);
    for (Instant from = s.tick(); s.tick() < from + waits;) {
    }
    s.transitional(s.a, s.both, s.ring(3, s.a), {s.a});
    s.regular(s.a, s.ring(3, s.a), s.both, {s.a});
    return s.check().count("E22");
  };
  CHECK(ending(std::chrono::milliseconds{50}) == 0);
  CHECK(ending(std::chrono::milliseconds{150}) == 1);
}

TEST_CASE("E26 tells a message of a ring that its receiver was not in") {
  Story s;
  const ProcessIndex c = s.start("c", 1);
  s.originate_two();
  s.regular(c, s.ring(1, c), {}, {c});
  s.deliver(c, s.message(s.both, 1, s.a));
  CHECK(s.check().count("E26") == 1);

  // Nor does another run of a member inherit anything.
  Story t;
  t.originate_two();
  const ProcessIndex again = t.start("b", 2);
  t.regular(again, t.ring(5, again), {}, {again});
  t.deliver(again, t.message(t.both, 1, t.a));
  CHECK(t.check().count("E26") == 1);
}

TEST_CASE("E27 tells what passes from one run of a daemon to the next") {
  Story s;
  s.originate_two();
  const ProcessIndex again = s.start("b", 2);
  s.regular(again, s.ring(5, again), {}, {again});
  s.deliver(again, s.message(s.both, 2, s.b));
  CHECK(s.check().count("E27") == 1);

  // A message of a client of the first run, originated by the second.
  GroupStory g;
  const ProcessIndex second = g.start("a", 2);
  const RingId ring = g.ring(6, second);
  g.regular(second, ring, {}, {second});
  g.originate(second, ring, 1);
  g.deliver(second, g.message(ring, 1, second, make_payload({.client = g.x, .number = 1}, 64)));
  CHECK(g.check().count("E27") == 1);
}

/// a and b leave ring 2 for ring 3 of the same members.
struct Departure : Story {
  void leave(const std::string& of_a, const std::string& of_b) {
    const RingId next = ring(3, a);
    for (const ProcessIndex p : {a, b}) {
      const std::string& reason = p == a ? of_a : of_b;
      history.entered(p, tick(), p == a ? alone_a : alone_b, "starting -> operational  alone");
      history.entered(p, tick(), p == a ? alone_a : alone_b, "operational -> gather  token lost");
      history.entered(p, tick(), both, "gather -> commit  consensus");
      history.entered(p, tick(), both, "commit -> recovery  all told");
      history.entered(p, tick(), both, "recovery -> operational  exchanged");
      if (!reason.empty()) {
        history.entered(p, tick(), both, "operational -> gather  " + reason);
        history.entered(p, tick(), next, "gather -> commit  consensus");
        history.entered(p, tick(), next, "commit -> recovery  all told");
        history.entered(p, tick(), next, "recovery -> operational  exchanged");
      }
      transitional(p, both, next, {a, b});
      regular(p, next, both, {a, b});
    }
  }
};

TEST_CASE("E30 tells installations without a reason, or by hearsay alone") {
  Departure good;
  good.leave("token lost", "a member gathers");
  CHECK(good.check().ok());

  Departure hearsay;
  hearsay.leave("a member gathers", "a member gathers");
  CHECK(hearsay.check().count("E30") == 2);

  Departure whim;
  whim.leave("token lost", "for a change");
  CHECK(whim.check().count("E30") == 1);

  Departure silent;
  silent.leave("token lost", "");
  CHECK(silent.check().count("E30") == 1);
}

TEST_CASE("P7 tells a way between states that does not exist, or starts elsewhere") {
  Story s;
  s.history.entered(s.a, s.tick(), s.alone_a, "starting -> operational  alone");
  s.history.entered(s.a, s.tick(), s.alone_a, "operational -> recovery  at once");
  CHECK(s.check().count("P7") == 1);

  Story t;
  t.history.entered(t.a, t.tick(), t.alone_a, "starting -> operational  alone");
  t.history.entered(t.a, t.tick(), t.alone_a, "gather -> commit  consensus");
  CHECK(t.check().count("P7") == 1);
}

TEST_CASE("G11 tells a second network view for one change") {
  GroupStory s;
  s.join_both();
  s.client(s.x, TransitionalEvent{"g"});
  s.client(s.x, s.view(s.both, 3, Cause::network, {}, {s.x, s.y}));
  s.client(s.x, TransitionalEvent{"g"});
  s.client(s.x, s.view(s.both, 4, Cause::network, {}, {s.x, s.y}));
  CHECK(s.check().count("G11") == 1);
}

/// a went alone to ring 3 and then to ring 4 with b; x sees both come back in one view.
struct LeftBehind : GroupStory {
  LeftBehind() {
    join_both();
    alone = ring(3, a);
    again = ring(4, a);
    transitional(a, both, alone, {a});
    regular(a, alone, both, {a});
    transitional(a, alone, again, {a});
    regular(a, again, alone, {a, b});
    client(x, TransitionalEvent{"g"});
    client(x, ConfigurationEvent{.id = again, .daemons = {key(a).node, key(b).node}});
  }
  RingId alone;
  RingId again;
};

TEST_CASE("G12 tells a daemon that does not see itself left behind") {
  LeftBehind good;
  ViewEvent view = good.view(good.again, 1, Cause::network, {}, {good.x, good.y});
  view.with_me = {good.member(good.x)};
  good.client(good.x, view);
  CHECK(good.check().count("G12") == 0);

  LeftBehind together;
  together.client(
      together.x, together.view(together.again, 1, Cause::network, {}, {together.x, together.y}));
  CHECK(together.check().count("G12") == 1);

  LeftBehind silent;
  CHECK(silent.check(true).count("G12") == 1);
}

TEST_CASE("G13 tells a network view with who had left, or without who is there") {
  GroupStory s;
  s.join_both();
  const RingId next = s.ring(3, s.a);
  s.client(s.y, LeftEvent{"g"});
  for (const std::uint64_t c : {s.x, s.y}) {
    s.client(c, ConfigurationEvent{.id = next, .daemons = {s.key(s.a).node, s.key(s.b).node}});
  }
  s.client(s.x, s.view(next, 1, Cause::network, {}, {s.x, s.y}));
  CHECK(s.check().count("G13") == 1);

  GroupStory t;
  t.join_both();
  for (const std::uint64_t c : {t.x, t.y}) {
    t.client(c, ConfigurationEvent{.id = next, .daemons = {t.key(t.a).node, t.key(t.b).node}});
  }
  t.client(t.x, t.view(next, 1, Cause::network, {}, {t.x}));
  CHECK(t.check().count("G13") == 1);
}

TEST_CASE("G14 tells a message of a configuration that is not complete") {
  GroupStory s;
  s.join_both();
  OrderedMessage early = s.first;
  early.configuration = s.ring(3, s.a);
  s.client(s.x, s.received(early, s.x));
  CHECK(s.check().count("G14") == 1);
}

TEST_CASE("G15 tells two live sessions of one name, and a number given twice") {
  Story s;
  auto& sessions = s.history.processes[s.a].sessions;
  sessions.push_back({.session = SessionId{1}, .name = "x", .opened = true});
  sessions.push_back({.session = SessionId{1}, .name = {}, .opened = false});
  sessions.push_back({.session = SessionId{2}, .name = "x", .opened = true});
  CHECK(s.check().ok());
  sessions.push_back({.session = SessionId{3}, .name = "x", .opened = true});
  CHECK(s.check().count("G15") == 1);
  sessions.push_back({.session = SessionId{2}, .name = "y", .opened = true});
  CHECK(s.check().count("G15") == 2);
}

TEST_CASE("C1 tells a message that got lost between the join and the first one received") {
  GroupStory s;
  s.history.processes[s.b].sessions.push_back(
      {.session = SessionId{7}, .name = "y", .opened = true});
  s.deliver_control(s.a);
  s.deliver(s.b, s.message(s.both, 1, s.a));
  const BufferRef join = encode(JoinChange{.session = SessionId{7}, .name = "y", .group = "g"});
  s.deliver(s.b, s.message(s.both, 2, s.b, join.bytes()));
  s.client(s.y, s.view(s.both, 2, Cause::join, {s.y}, {s.y}));
  s.deliver_first();
  s.client(s.x, s.publish(s.x, 2));
  const auto second = s.message(s.both, 4, s.a, make_payload({.client = s.x, .number = 2}, 64));
  s.originate(s.a, s.both, 4);
  s.deliver(s.b, second);
  s.client(s.y, s.received(second, s.x));
  CHECK(s.check().count("C1") == 1);
}

TEST_CASE("C5 tells a publish that was carried out though one before it was not") {
  GroupStory s;
  s.join_both();
  s.client(s.x, s.publish(s.x, 2));
  s.deliver(s.a, s.message(s.both, 3, s.a, make_payload({.client = s.x, .number = 2}, 64)));
  CHECK(s.check().count("C5") == 1);

  // What was refused, or what comes last, may be missing.
  GroupStory t;
  t.join_both();
  t.client(t.x, t.publish(t.x, 2));
  t.deliver_first();
  CHECK(t.check().count("C5") == 0);
}

}  // namespace
}  // namespace ringcast::sim
