// SPDX-License-Identifier: Apache-2.0
//
// The checkers of groups, clients and liveness against histories that break their properties.
#include <catch2/catch.hpp>

#include "sim/synthetic.hpp"

namespace ringcast::sim {
namespace {

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
  SECTION("a leave of one who did not ask") {
    s.client(s.x, s.view(s.both, 3, Cause::leave, {s.y}, {s.x}));
  }
  SECTION("a disconnect of one whose session goes on") {
    s.client(s.y, AskedLeave{"g"});
    s.client(s.x, s.view(s.both, 3, Cause::disconnect, {s.y}, {s.x}));
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
  for (const OrderedMessage& message : three) {
    s.deliver(s.b, message);
  }
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
  SECTION("got an answer it did not ask for") { s.history.session(s.y).wrong_answers.push_back(7); }
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
