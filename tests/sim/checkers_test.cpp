// SPDX-License-Identifier: Apache-2.0
//
// Each checker against histories that break its property: a checker that cannot fail is
// worthless. The first test says that the unbroken story passes all of them.
#include <catch2/catch.hpp>

#include "sim/synthetic.hpp"

namespace ringcast::sim {
namespace {

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
    for (const Violation& violation : report.violations()) {
      UNSCOPED_INFO(violation.invariant << "  " << violation.what);
    }
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
    for (const std::uint64_t c : {x, y})
      client(c, AskedJoin{"g"});
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

TEST_CASE("a correct history passes every checker") {
  GroupStory s;
  s.join_both();
  s.deliver_first();
  s.receive_first();
  CHECK(s.check(true).ok());
}

TEST_CASE("E1 tells a message that nobody originated, or changed content") {
  Story s;
  s.originate(s.a, s.both, 1);
  s.deliver(s.a, s.message(s.both, 2, s.b));
  CHECK(s.check().count("E1") > 0);

  GroupStory g;
  g.join_both();
  OrderedMessage changed = g.first;
  g.deliver(g.a, g.first);
  changed.payload = BufferRef::copy_of(std::string_view{"something else"});
  g.deliver(g.b, changed);
  CHECK_FALSE(g.check().ok());
}

TEST_CASE("E2 tells a message delivered outside its configuration") {
  Story s;
  s.originate_two();
  s.deliver(s.a, s.message(s.alone_a, 1, s.a));
  CHECK(s.check().count("E2") > 0);
}

TEST_CASE("E2 tells a wrong transitional flag") {
  Story s;
  s.originate_two();
  OrderedMessage message = s.message(s.both, 1, s.a);
  message.transitional = true;
  s.deliver(s.a, message);
  CHECK(s.check().count("E2") > 0);
}

TEST_CASE("E3 tells a message delivered twice") {
  Story s;
  s.originate_two();
  s.deliver(s.a, s.message(s.both, 1, s.a));
  s.deliver(s.a, s.message(s.both, 1, s.a));
  CHECK(s.check().count("E3") > 0);
}

TEST_CASE("E3 tells a client's message that came back in another configuration") {
  GroupStory s;
  s.join_both();
  s.deliver(s.a, s.first);
  OrderedMessage again = s.first;
  again.seq = Seq{4};
  s.originate(s.a, s.both, 4);
  s.deliver(s.a, again);
  CHECK(s.check().count("E3") > 0);
}

TEST_CASE("E3 tells two messages at one place, and a packet originated twice") {
  Story s;
  s.originate_two();
  s.originate(s.b, s.both, 1);
  s.deliver(s.a, s.message(s.both, 1, s.a));
  const std::string other = "another";
  s.deliver(s.b, s.message(s.both, 1, s.a, std::as_bytes(std::span{other.data(), other.size()})));
  CHECK(s.check().count("E3") >= 2);
}

TEST_CASE("E4 tells a delivery before any configuration, and a first one of two") {
  Synthetic s;
  const ProcessIndex a = s.start("a", 1);
  const ProcessIndex b = s.start("b", 1);
  s.deliver(a, s.message(s.ring(1, a), 1, a));
  s.regular(b, s.ring(1, b), {}, {a, b});
  Report report;
  check_all(s.history, report);
  CHECK(report.count("E4") >= 2);
}

TEST_CASE("E5 tells a configuration without its installer") {
  Story s;
  s.transitional(s.a, s.both, s.ring(3, s.b), {s.b});
  CHECK(s.check().count("E5") > 0);
}

TEST_CASE("E6 tells one id with two member lists, and an id installed twice") {
  Story s;
  s.transitional(s.a, s.both, s.ring(3, s.a), {s.a});
  s.regular(s.a, s.ring(3, s.a), s.both, {s.a});
  s.transitional(s.b, s.both, s.ring(3, s.a), {s.b});
  s.regular(s.b, s.ring(3, s.a), s.both, {s.a, s.b});
  CHECK(s.check().count("E6") > 0);

  Story t;
  t.transitional(t.a, t.both, t.both, {t.a});
  t.regular(t.a, t.both, t.both, {t.a, t.b});
  CHECK(t.check().count("E6") > 0);
}

TEST_CASE("E7 tells two regular installs in a row, and a transitional one that leads elsewhere") {
  Story s;
  s.regular(s.a, s.ring(3, s.a), s.both, {s.a, s.b});
  CHECK(s.check().count("E7") > 0);

  Story t;
  t.transitional(t.a, t.both, t.ring(3, t.a), {t.a});
  t.regular(t.a, t.ring(4, t.a), t.both, {t.a});
  CHECK(t.check().count("E7") > 0);
}

TEST_CASE("E7 tells who came along outside the transitional configuration") {
  Story s;
  s.transitional(s.a, s.both, s.ring(3, s.a), {s.a});
  s.regular(s.a, s.ring(3, s.a), s.both, {s.a, s.b});
  s.transitional(s.b, s.both, s.ring(3, s.a), {s.b});
  s.regular(s.b, s.ring(3, s.a), s.both, {s.a, s.b});
  CHECK(s.check().count("E7") > 0);
}

TEST_CASE("E8 tells an id that went back, also over a restart") {
  Story s;
  s.history.end_process(s.a, s.tick(), Ending::crashed);
  const ProcessIndex again = s.start("a", 2);
  s.regular(again, s.ring(1, again), {}, {again});
  CHECK(s.check().count("E8") > 0);

  Story lost;
  lost.history.end_process(lost.a, lost.tick(), Ending::crashed);
  const ProcessIndex fresh = lost.start("a", 2);
  lost.history.processes[fresh].storage = Storage::lost;
  lost.regular(fresh, lost.ring(1, fresh), {}, {fresh});
  CHECK(lost.check().count("E8") == 0);
}

TEST_CASE("E9 tells a cycle, also one longer than a pair") {
  Synthetic s;
  std::vector<ProcessIndex> p;
  for (const char* name : {"a", "b", "c"})
    p.push_back(s.start(name, 1));
  const RingId ring = s.ring(1, p[0]);
  for (const ProcessIndex q : p)
    s.regular(q, ring, {}, p);
  // Each pair is consistent: m1 m2, m2 m3, m3 m1.
  for (std::size_t i = 0; i < 3; ++i) {
    s.deliver(p[i], s.message(ring, i + 1, p[0]));
    s.deliver(p[i], s.message(ring, (i + 1) % 3 + 1, p[0]));
  }
  Report report;
  check_acyclic(Timeline{s.history}, report);
  CHECK(report.count("E9") == 1);
}

TEST_CASE("E10 tells an originator that moved on without its message") {
  Story s;
  s.originate(s.a, s.both, 1);
  s.transitional(s.a, s.both, s.ring(3, s.a), {s.a});
  s.regular(s.a, s.ring(3, s.a), s.both, {s.a});
  CHECK(s.check().count("E10") > 0);
}

TEST_CASE("E11 tells different deliveries of two that went on together") {
  Story s;
  s.originate_two();
  s.deliver(s.a, s.message(s.both, 1, s.a));
  for (const ProcessIndex p : {s.a, s.b}) {
    s.transitional(p, s.both, s.ring(3, s.a), {s.a, s.b});
    s.regular(p, s.ring(3, s.a), s.both, {s.a, s.b});
  }
  CHECK(s.check().count("E11") > 0);
}

TEST_CASE("E11 tells the same of the transitional configuration") {
  Story s;
  s.originate_two();
  for (const ProcessIndex p : {s.a, s.b}) {
    s.transitional(p, s.both, s.ring(3, s.a), {s.a, s.b});
    if (p == s.a) {
      OrderedMessage message = s.message(s.both, 1, s.a);
      message.transitional = true;
      s.deliver(p, message);
    }
    s.regular(p, s.ring(3, s.a), s.both, {s.a, s.b});
  }
  CHECK(s.check().count("E11") > 0);
}

TEST_CASE("E12 tells a message without what its originator had seen") {
  Story s;
  s.originate(s.a, s.both, 1);
  s.deliver(s.b, s.message(s.both, 1, s.a));
  s.originate(s.b, s.both, 2);
  s.deliver(s.a, s.message(s.both, 2, s.b));
  CHECK(s.check().count("E12") > 0);
}

TEST_CASE("E13 tells a client's messages out of their order") {
  GroupStory s;
  s.join_both();
  s.client(s.x, s.publish(s.x, 2));
  s.originate(s.a, s.both, 4);
  s.deliver(s.a, s.message(s.both, 3, s.a, make_payload({.client = s.x, .number = 2}, 64)));
  s.deliver(s.a, s.message(s.both, 4, s.a, make_payload({.client = s.x, .number = 1}, 64)));
  CHECK(s.check().count("E13") > 0);
}

TEST_CASE("E14 tells labels that do not grow") {
  Story s;
  s.originate_two();
  s.deliver(s.a, s.message(s.both, 2, s.b));
  s.deliver(s.a, s.message(s.both, 1, s.a));
  CHECK(s.check().count("E14") > 0);
}

TEST_CASE("E15 tells a gap in a regular configuration") {
  Story s;
  s.originate_two();
  s.deliver(s.a, s.message(s.both, 1, s.a));
  s.deliver(s.a, s.message(s.both, 2, s.b));
  s.deliver(s.b, s.message(s.both, 2, s.b));
  CHECK(s.check().count("E15") > 0);
}

TEST_CASE("E16 tells a gap of a member of the transitional configuration, not of others") {
  const auto story = [](bool together) {
    Story s;
    s.originate(s.a, s.both, 1);
    s.originate(s.a, s.both, 2);
    s.originate(s.b, s.both, 3);
    s.deliver(s.a, s.message(s.both, 1, s.a));
    const std::vector<ProcessIndex> with =
        together ? std::vector<ProcessIndex>{s.a, s.b} : std::vector<ProcessIndex>{s.b};
    s.transitional(s.b, s.both, s.ring(3, s.b), with);
    OrderedMessage message = s.message(s.both, 3, s.b);
    message.transitional = true;
    s.deliver(s.b, message);
    return s.check().count("E16");
  };
  CHECK(story(true) > 0);
  CHECK(story(false) == 0);
}

TEST_CASE("E18 tells a safe message that a member moved on without") {
  Story s;
  s.originate_two();
  OrderedMessage safe = s.message(s.both, 1, s.a);
  safe.service = Service::safe;
  s.deliver(s.a, safe);
  s.transitional(s.b, s.both, s.ring(3, s.b), {s.b});
  CHECK(s.check().count("E18") == 0);  // it may still deliver it
  s.regular(s.b, s.ring(3, s.b), s.both, {s.b});
  CHECK(s.check().count("E18") > 0);
}

TEST_CASE("E18 excuses a member that ended first") {
  Story s;
  s.originate_two();
  OrderedMessage safe = s.message(s.both, 1, s.a);
  safe.service = Service::safe;
  s.deliver(s.a, safe);
  s.history.end_process(s.b, s.tick(), Ending::crashed);
  CHECK(s.check().count("E18") == 0);
}

TEST_CASE("E23 tells what was originated and never delivered in a run at rest") {
  Story s;
  s.originate(s.a, s.both, 1);
  CHECK(s.check(true).count("E23") > 0);

  Story t;
  t.originate(t.a, t.both, 1);
  t.deliver(t.a, t.message(t.both, 1, t.a));
  CHECK(t.check(true).count("E23") > 0);
}

TEST_CASE("E25 tells a message that is not whole") {
  GroupStory s;
  s.join_both();
  std::vector<std::byte> cut = make_payload({.client = s.x, .number = 1}, 64);
  cut.pop_back();
  s.deliver(s.a, s.message(s.both, 3, s.a, cut));
  CHECK(s.check().count("E25") > 0);
}

TEST_CASE("E24 tells confirmations that are wrong, doubled or of refused messages") {
  GroupStory s;
  s.join_both();
  s.deliver_first();
  s.receive_first();
  SECTION("doubled") {
    s.client(s.x, ConfirmEvent{.ticket = 1, .configuration = s.both, .seq = Seq{3}});
  }
  SECTION("of another place") {
    s.client(s.y, s.publish(s.y, 1));
    s.client(s.y, ConfirmEvent{.ticket = 1, .configuration = s.both, .seq = Seq{1}});
  }
  SECTION("stable without service safe") {
    s.client(s.y, s.publish(s.y, 1));
    s.client(
        s.y, ConfirmEvent{.ticket = 1, .configuration = s.both, .seq = Seq{3}, .stable = true});
  }
  SECTION("refused and delivered") {
    s.client(s.x, Refused{.about = 1, .subject = {}, .code = Errc::too_large});
  }
  CHECK(s.check().count("E24") > 0);
}

TEST_CASE("G1 tells one view id with two contents") {
  GroupStory s;
  s.client(s.x, s.view(s.both, 1, Cause::join, {s.x}, {s.x}));
  s.client(s.x, s.view(s.both, 2, Cause::join, {s.y}, {s.x, s.y}));
  s.client(s.y, s.view(s.both, 2, Cause::join, {s.y}, {s.y}));
  CHECK(s.check().count("G1") > 0);
}

TEST_CASE("G1 tells sets that overlap") {
  GroupStory s;
  s.client(s.x, s.view(s.both, 1, Cause::join, {s.x}, {s.x}));
  s.client(s.x, s.view(s.both, 2, Cause::join, {s.y}, {s.x, s.y}));
  ViewEvent other = s.view(s.both, 2, Cause::join, {s.y}, {s.x, s.y});
  other.with_me = {s.member(s.y)};
  s.client(s.y, other);
  CHECK(s.check().count("G1") > 0);
}

TEST_CASE("G2 tells a view without its receiver or out of order") {
  GroupStory s;
  s.client(s.x, s.view(s.both, 1, Cause::join, {s.x}, {s.y}));
  CHECK(s.check().count("G2") > 0);

  GroupStory t;
  ViewEvent view = t.view(t.both, 1, Cause::join, {t.x}, {t.x, t.y});
  std::swap(view.members[0], view.members[1]);
  t.client(t.x, view);
  CHECK(t.check().count("G2") > 0);
}

TEST_CASE("G3 tells a cause that does not explain the change") {
  GroupStory s;
  s.join_both();
  SECTION("a join that also removes") {
    const std::uint64_t z = s.connect(s.a, "z");
    s.client(s.x, s.view(s.both, 3, Cause::join, {z}, {s.x, z}));
  }
  SECTION("a leave of somebody else") {
    s.client(s.x, s.view(s.both, 3, Cause::leave, {s.y}, {s.x, s.y}));
  }
  SECTION("network without a new configuration") {
    s.client(s.x, s.view(s.both, 3, Cause::network, {}, {s.x}));
  }
  CHECK(s.check().count("G3") > 0);
}

TEST_CASE("G4 tells a first view that is not the own join, and events after left") {
  GroupStory s;
  s.client(s.x, s.view(s.both, 1, Cause::join, {s.y}, {s.x, s.y}));
  CHECK(s.check().count("G4") > 0);

  GroupStory t;
  t.join_both();
  t.client(t.x, AskedLeave{"g"});
  t.client(t.x, LeftEvent{"g"});
  t.client(t.x, t.view(t.both, 3, Cause::leave, {t.x}, {t.y}));
  CHECK(t.check().count("G4") > 0);
}

TEST_CASE("G5 tells members that saw different messages between the same views") {
  GroupStory s;
  s.join_both();
  s.deliver_first();
  s.client(s.x, s.received(s.first, s.x));
  for (const std::uint64_t c : {s.x, s.y}) {
    const std::uint64_t z = 1;
    static_cast<void>(z);
    s.client(c, s.view(s.both, 3, Cause::disconnect, {s.x}, {s.y}));
  }
  CHECK(s.check().count("G5") > 0);
}

TEST_CASE("G6 tells a network view without its transitional signal, and a second signal") {
  GroupStory s;
  s.join_both();
  const RingId next = s.ring(3, s.a);
  SECTION("without") {}
  SECTION("second") {
    s.client(s.x, TransitionalEvent{"g"});
    s.client(s.x, TransitionalEvent{"g"});
  }
  s.client(s.x, ConfigurationEvent{.id = next, .daemons = {s.key(s.a).node}});
  s.client(s.x, s.view(next, 1, Cause::network, {}, {s.x}));
  CHECK(s.check().count("G6") > 0);
}

TEST_CASE("G7 tells companions that saw different messages before a network view") {
  GroupStory s;
  s.join_both();
  s.deliver_first();
  s.client(s.x, s.received(s.first, s.x));
  const RingId next = s.ring(3, s.a);
  for (const std::uint64_t c : {s.x, s.y}) {
    s.client(
        c,
        ConfigurationEvent{
            .id = next, .daemons = {s.members({s.a, s.b})[0].node, s.members({s.a, s.b})[1].node}});
    s.client(c, s.view(next, 1, Cause::network, {}, {s.x, s.y}));
  }
  CHECK(s.check().count("G7") > 0);
}

TEST_CASE("G8 tells a message to who is no member, twice, or to its sender without echo") {
  GroupStory s;
  SECTION("no member") {
    s.deliver_control(s.a);
    s.deliver_first();
    s.client(s.y, s.received(s.first, s.x));
  }
  SECTION("twice") {
    s.join_both();
    s.deliver_first();
    s.receive_first();
    s.client(s.y, s.received(s.first, s.x));
  }
  SECTION("no echo") {
    s.join_both();
    Published silent = s.publish(s.x, 2);
    silent.echo = false;
    s.client(s.x, silent);
    const OrderedMessage message =
        s.message(s.both, 3, s.a, make_payload({.client = s.x, .number = 2}, 64));
    s.deliver(s.a, message);
    s.client(s.x, s.received(message, s.x));
  }
  CHECK(s.check().count("G8") > 0);
}

TEST_CASE("G9 tells a ghost: a member on a daemon that is gone, or a session that ended") {
  GroupStory s;
  s.join_both();
  const RingId next = s.ring(3, s.a);
  s.client(s.x, TransitionalEvent{"g"});
  s.client(s.x, ConfigurationEvent{.id = next, .daemons = {s.key(s.a).node}});
  s.client(s.x, s.view(next, 1, Cause::network, {}, {s.x, s.y}));
  CHECK(s.check().count("G9") > 0);

  GroupStory t;
  t.join_both();
  t.deliver_first();
  t.receive_first();
  t.history.session(t.y).end = SessionEnd::hung_up;
  CHECK(t.check(true).count("G9") > 0);
}

TEST_CASE("G10 tells a member that is missing at the end") {
  GroupStory s;
  s.deliver_control(s.a);
  s.deliver_control(s.b);
  s.client(s.x, s.view(s.both, 1, Cause::join, {s.x}, {s.x}));
  s.client(s.y, s.view(s.both, 2, Cause::join, {s.y}, {s.y}));
  CHECK(s.check(true).count("G10") > 0);
}

TEST_CASE("G16 tells view numbers that do not grow") {
  GroupStory s;
  s.client(s.x, s.view(s.both, 2, Cause::join, {s.x}, {s.x}));
  s.client(s.x, s.view(s.both, 1, Cause::join, {s.y}, {s.x, s.y}));
  CHECK(s.check().count("G16") > 0);
}

TEST_CASE("C1 tells a client that lost, swapped or got a changed message") {
  GroupStory s;
  s.join_both();
  s.client(s.x, s.publish(s.x, 2));
  s.client(s.x, s.publish(s.x, 3));
  std::vector<OrderedMessage> three = {s.first};
  for (const std::uint32_t n : {2U, 3U}) {
    s.originate(s.a, s.both, n + 2);
    three.push_back(s.message(s.both, n + 2, s.a, make_payload({.client = s.x, .number = n}, 64)));
  }
  for (const OrderedMessage& message : three)
    s.deliver(s.b, message);
  SECTION("lost one in the middle") {
    s.client(s.y, s.received(three[0], s.x));
    s.client(s.y, s.received(three[2], s.x));
  }
  SECTION("swapped") {
    s.client(s.y, s.received(three[1], s.x));
    s.client(s.y, s.received(three[0], s.x));
  }
  SECTION("changed") {
    Received changed = s.received(three[0], s.x);
    changed.payload->intact = false;
    s.client(s.y, changed);
  }
  SECTION("lost the tail of a run at rest") {
    s.client(s.y, s.received(three[0], s.x));
    s.history.settled = true;
    CHECK(s.check(true).count("C1") > 0);
  }
  SECTION("got what its daemon did not deliver") {
    OrderedMessage other = three[0];
    other.seq = Seq{77};
    s.client(s.y, s.received(other, s.x));
  }
  const bool tail = s.history.settled;
  if (!tail) CHECK(s.check().count("C1") > 0);
}

TEST_CASE("C2 tells a session that was closed without a word") {
  GroupStory s;
  SECTION("closed without a reason") { s.history.session(s.x).end = SessionEnd::closed; }
  SECTION("lost though the daemon runs") { s.history.session(s.x).end = SessionEnd::lost; }
  CHECK(s.check().count("C2") > 0);
}

TEST_CASE("L1 tells daemons that end in different configurations") {
  Story s;
  s.transitional(s.b, s.both, s.ring(3, s.b), {s.b});
  s.regular(s.b, s.ring(3, s.b), s.both, {s.b});
  CHECK(s.check(true).count("L1") > 0);
}

TEST_CASE("L3 tells what stays without an answer") {
  GroupStory s;
  CHECK(s.check(true).count("L3") > 0);  // two joins and a publish
}

}  // namespace
}  // namespace ringcast::sim
