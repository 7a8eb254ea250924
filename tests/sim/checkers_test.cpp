// SPDX-License-Identifier: Apache-2.0
//
// Each checker against histories that break its property: a checker that cannot fail is
// worthless. The first test says that the unbroken story passes all of them.
#include <catch2/catch.hpp>

#include "sim/synthetic.hpp"

namespace ringcast::sim {
namespace {

TEST_CASE("a correct history passes every checker") {
  GroupStory s;
  s.join_both();
  s.deliver_first();
  s.receive_first();
  CHECK(s.check(true).ok());
}

TEST_CASE("E1 tells a message that nobody originated, or that was published otherwise") {
  Story s;
  s.originate(s.a, s.both, 1);
  s.deliver(s.a, s.message(s.both, 2, s.b));
  CHECK(s.check().count("E1") > 0);

  GroupStory g;
  g.join_both();
  OrderedMessage changed = g.first;
  changed.service = Service::safe;
  g.deliver(g.a, changed);
  CHECK(g.check().count("E1") > 0);
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
  for (const char* name : {"a", "b", "c"}) {
    p.push_back(s.start(name, 1));
  }
  const RingId ring = s.ring(1, p[0]);
  for (const ProcessIndex q : p) {
    s.regular(q, ring, {}, p);
  }
  // Each pair is consistent: m1 m2, m2 m3, m3 m1.
  for (std::size_t i = 0; i < 3; ++i) {
    s.deliver(p[i], s.message(ring, i + 1, p[0]));
    s.deliver(p[i], s.message(ring, (i + 1) % 3 + 1, p[0]));
  }
  Report report;
  check_acyclic(Timeline{s.history}, report);
  CHECK(report.count("E9") == 1);
}

TEST_CASE("E9 tells a cycle of three across merges that no pair of daemons shows") {
  Synthetic s;
  std::vector<ProcessIndex> p;
  for (const char* name : {"a", "b", "c"}) {
    p.push_back(s.start(name, 1));
  }
  // Each goes from a ring with one of the others into a ring with the other one: a and b share
  // ring 2, b and c ring 3, c and a ring 1, each pair one message.
  const std::vector<RingId> rings = {s.ring(1, p[0]), s.ring(2, p[0]), s.ring(3, p[1])};
  const std::vector<std::vector<ProcessIndex>> members = {{p[0], p[2]}, {p[0], p[1]}, {p[1], p[2]}};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t then = (i + 1) % 3;
    s.regular(p[i], rings[i], {}, members[i]);
    s.deliver(p[i], s.message(rings[i], i + 1, p[i]));
    s.transitional(p[i], rings[i], rings[then], {p[i]});
    s.regular(p[i], rings[then], rings[i], members[then]);
    s.deliver(p[i], s.message(rings[then], then + 1, p[then]));
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

}  // namespace
}  // namespace ringcast::sim
