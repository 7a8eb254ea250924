// SPDX-License-Identifier: Apache-2.0
//
// What configuration changes do to groups: signals, network views, exchanges and those that
// are cut off, in small histories whose every event is written down.
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/groups/envelope.hpp"
#include "tests/unit/groups/story.hpp"

namespace ringcast::test {
namespace {

/// Two daemons whose ring order is the order of their names here.
struct Pair {
  std::string first{"ant"};
  std::string second{"bee"};
  Pair() {
    if (node_id(second) < node_id(first)) std::swap(first, second);
  }
};

TEST_CASE(
    "a departed daemon's members go in one view, after one signal [GRP-7] [GRP-8]", "[groups]") {
  World world;
  const auto names = start_together(world, 3);
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.connect("c", names[2]);
  for (const auto* client : {"a", "b", "c"}) {
    world.join(client, "g");
    world.run();
  }
  world.join("a", "mine");
  world.run();
  const auto before = world.client("a").events.size();
  // On its way when the configuration ends, from one that stays and one that goes.
  world.publish("c", {"g"}, "last of c");
  world.publish("a", {"g"}, "last of a");
  while (world.originate(names[2]) || world.originate(names[0])) {
  }
  world.reform({names[0], names[1]});
  CHECK(world.groups(names[0]).gate_open());
  CHECK(
      since(world.client("a"), before) == Story{
                                              "g transitional",
                                              "last of c (transitional)",
                                              "last of a (transitional)",
                                              "confirm 2 transitional",
                                              "config of 2",
                                              "g network {a b} with {a b}"});
  world.reform({names[2]});
  CHECK(world.client("c").story().back() == "g network {c} with {c}");
  world.watcher().finish();
}

TEST_CASE("sides that meet see one view, each with its own companions [GRP-8]", "[groups]") {
  World world;
  const auto names = start_together(world, 4);
  world.reform({names[0], names[1]});
  world.reform({names[2], names[3]});
  const Story clients{"a", "b", "c", "d"};
  for (std::size_t i = 0; i < clients.size(); ++i) {
    world.connect(clients[i], names[i]);
    world.join(clients[i], "g");
    world.run();
  }
  world.join("a", "left");
  world.join("b", "left");
  world.run();
  world.reform(names);
  for (const auto& name : names) {
    CHECK_FALSE(world.groups(name).gate_open());
  }
  const auto before = world.client("a").events.size();
  world.run();
  const std::string members = "g network {a b c d} with ";
  CHECK(
      since(world.client("a"), before) ==
      Story{"config of 4", "g transitional", members + "{a b}"});
  CHECK(world.client("b").story().back() == members + "{a b}");
  CHECK(world.client("c").story().back() == members + "{c d}");
  CHECK(world.client("d").story().back() == members + "{c d}");
  CHECK(world.client("a").views().back().id == world.client("d").views().back().id);
  CHECK(world.client("a").views().back().id.number == 1);
  world.watcher().finish();
}

TEST_CASE("nothing of clients passes before the exchange is complete [GRP-5]", "[groups]") {
  World world;
  const Pair pair;
  world.start({pair.first, pair.second});
  world.connect("a", pair.first);
  world.connect("b", pair.second);
  world.join("a", "g");
  world.join("b", "g");
  world.run();
  world.reform({pair.first, pair.second});
  const auto a = world.client("a").events.size();
  world.publish("a", {"g"}, "early");
  while (world.originate(pair.first)) {
  }
  while (world.deliver(pair.first)) {
  }
  CHECK_FALSE(world.groups(pair.first).gate_open());
  // A peer that does not keep the gate is ignored.
  world.inject(pair.second, encode(JoinChange{SessionId{99}, "intruder", "g"}));
  world.run();
  CHECK(world.groups(pair.first).rejected_envelopes() == 1);
  CHECK(world.groups(pair.second).rejected_envelopes() == 1);
  CHECK(
      since(world.client("a"), a) ==
      Story{"config of 2", "g transitional", "g network {a b} with {a}", "early", "confirm 1"});
}

TEST_CASE("a cut-off exchange leaves no trace [GRP-9]", "[groups]") {
  World world;
  const auto names = start_together(world, 3);
  world.reform({names[0], names[1]});
  world.reform({names[2]});
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.connect("c", names[2]);
  for (const auto* client : {"a", "b", "c"}) {
    world.join(client, "g");
    world.run();
  }
  const auto before = world.client("a").events.size();
  world.reform(names);
  world.originate(names[2]);
  world.deliver(names[0]);  // knows of c already, when c is gone again
  world.reform({names[0], names[1]});
  CHECK_FALSE(world.groups(names[0]).gate_open());  // among companions, but a new start
  world.run();
  CHECK(since(world.client("a"), before) == Story{"config of 2"});
  CHECK(world.groups(names[0]).members("g").front().second.size() == 2);
  // c, alone after the same attempt, meets them at last.
  world.reform({names[2]});
  world.run();
  world.reform(names);
  world.run();
  CHECK(world.client("a").story().back() == "g network {a b c} with {a b}");
  CHECK(world.client("c").story().back() == "g network {a b c} with {c}");
  world.watcher().finish();
}

TEST_CASE("a mark outlives the exchange it was to travel in [GRP-9]", "[groups]") {
  World world;
  const auto names = start_together(world, 4);
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.join("a", "g");
  world.run();
  world.join("b", "g");
  world.run();
  const auto before = world.client("a").events.size();
  world.start("elk");
  world.reform({names[0], "elk"});
  CHECK(since(world.client("a"), before) == Story{"g transitional"});
  world.reform({names[0], names[2]});  // before the exchange with elk had begun
  world.run();
  CHECK(
      since(world.client("a"), before) ==
      Story{"g transitional", "config of 2", "g network {a} with {a}"});
}

TEST_CASE("a daemon that fell back in its recovery came along with nobody", "[groups]") {
  World world;
  const auto names = start_together(world, 3);
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.connect("c", names[2]);
  for (const auto* client : {"a", "b", "c"}) {
    world.join(client, "g");
    world.run();
  }
  // All three were to come along; b never got there.
  world.reform(names, {names[1]});
  CHECK(world.groups(names[0]).gate_open());
  CHECK(world.client("a").story().back() == "config of 3");
  world.reform(names);
  world.run();
  CHECK(world.client("a").story().back() == "g network {a b c} with {a c}");
  CHECK(world.client("b").story().back() == "g network {a b c} with {b}");
  CHECK(world.client("c").story().back() == "g network {a b c} with {a c}");
  world.watcher().finish();
}

TEST_CASE("a restarted daemon is no companion of those it left", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("a", names[0]);
  world.connect("b/1", names[1]);
  world.join("a", "g");
  world.run();
  world.join("b/1", "g");
  world.run();
  const auto before = world.client("a").events.size();
  world.crash(names[1]);
  world.start(names[1]);
  world.connect("b/2", names[1]);
  world.join("b/2", "g");
  world.run();
  world.reform(names);
  world.run();
  CHECK(
      since(world.client("a"), before) ==
      Story{"g transitional", "config of 2", "g network {a b} with {a}"});
  CHECK(world.client("b/2").story().back() == "g network {a b} with {b}");
}

TEST_CASE("whoever joins between signal and view is signalled too [GRP-7]", "[groups]") {
  World world;
  const auto names = start_together(world, 3);
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.connect("c", names[2]);
  world.connect("late", names[1]);
  world.connect("ghost", names[2]);
  world.join("a", "g");
  world.run();
  world.join("a", "h");
  world.join("c", "g");
  world.run();
  const auto before = world.client("a").events.size();
  world.join("late", "g");
  while (world.originate(names[1])) {
  }
  world.join("ghost", "h");
  world.publish("ghost", {"h"}, "boo");
  while (world.originate(names[2])) {
  }
  world.reform({names[0], names[1]});
  CHECK(
      since(world.client("a"), before) == Story{
                                              "g transitional",
                                              "g join {a late c} with {a}",
                                              "h join {a ghost} with {a}",
                                              "h transitional",
                                              "boo (transitional)",
                                              "config of 2",
                                              "g network {a late} with {a late}",
                                              "h network {a} with {a}"});
  CHECK(
      world.client("late").story() == Story{
                                          "config of 3",
                                          "g join {a late c} with {late}",
                                          "g transitional",
                                          "config of 2",
                                          "g network {a late} with {a late}"});
  const auto views = world.client("late").views();
  CHECK(views[0].id.next.has_value());
  CHECK(views[0].id.number == 1);
  CHECK_FALSE(views[1].id.next.has_value());
  world.watcher().finish();
}

TEST_CASE("those left behind may still leave, and are not counted as companions", "[groups]") {
  World world;
  const auto names = start_together(world, 3);
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.connect("c", names[2]);
  for (const auto* client : {"a", "b", "c"}) {
    world.join(client, "g");
    world.run();
  }
  const auto before = world.client("a").events.size();
  world.leave("a", "g");
  world.join("a", "g");
  while (world.originate(names[0])) {
  }
  world.leave("c", "g");
  while (world.originate(names[2])) {
  }
  world.reform({names[0], names[1]});
  CHECK(
      since(world.client("a"), before) == Story{
                                              "g transitional",
                                              "g left",
                                              "g join {a b c} with {a}",
                                              "g transitional",
                                              "g leave {a b} with {a b}",
                                              "config of 2",
                                              "g network {a b} with {a b}"});
  CHECK(world.client("b").views()[2].cause == Cause::leave);
  CHECK(world.client("b").views()[2].with_me == std::vector<Member>{world.client("b").self});
}

TEST_CASE(
    "a session closed during an exchange is a member until its end is ordered [GRP-11]",
    "[groups]") {
  World world;
  const Pair pair;
  world.start({pair.first, pair.second});
  world.connect("a", pair.first);
  world.connect("b", pair.second);
  world.join("a", "g");
  world.join("b", "g");
  world.run();
  world.reform({pair.first, pair.second});
  world.close("a");
  const auto silent = world.client("a").events.size();
  const auto before = world.client("b").events.size();
  world.run();
  CHECK(
      since(world.client("b"), before) == Story{
                                              "config of 2",
                                              "g transitional",
                                              "g network {a b} with {b}",
                                              "g disconnect {b} with {b}"});
  CHECK(world.client("a").events.size() == silent);
}

}  // namespace
}  // namespace ringcast::test
