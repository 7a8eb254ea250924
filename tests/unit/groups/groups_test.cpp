// SPDX-License-Identifier: Apache-2.0
//
// Groups, rule by rule: small histories whose every event is written down.
#include "protocol/groups/groups.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/groups/envelope.hpp"
#include "tests/unit/groups/world.hpp"

namespace ringcast::test {
namespace {

using Story = std::vector<std::string>;

/// Two daemons whose ring order is the order of their names here.
struct Pair {
  std::string first{"ant"};
  std::string second{"bee"};
  Pair() {
    if (node_id(second) < node_id(first)) std::swap(first, second);
  }
};

/// `count` daemons in one configuration; names in ring order.
std::vector<std::string> start_together(World& world, std::size_t count) {
  std::vector<std::string> names{"ant", "bee", "cat", "dog"};
  names.resize(count);
  std::sort(names.begin(), names.end(), [](const std::string& left, const std::string& right) {
    return node_id(left) < node_id(right);
  });
  world.start(names);
  world.reform(names);
  world.run();
  return names;
}

/// What was told since the client had seen `before` events.
Story since(const Client& client, std::size_t before) {
  auto story = client.story();
  story.erase(story.begin(), story.begin() + static_cast<std::ptrdiff_t>(before));
  return story;
}

TEST_CASE(
    "a session gets the configuration first, at once when it is complete [GRP-11]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  CHECK(world.connect("a", names[0]).story() == Story{"config of 2"});
  world.start("elk");
  world.reform({names[0], "elk"});
  CHECK_FALSE(world.groups(names[0]).gate_open());
  const auto& late = world.connect("late", names[0]);
  CHECK(late.story().empty());
  world.run();
  CHECK(late.story() == Story{"config of 2"});
  CHECK(world.groups(names[0]).configuration().id == late.configuration->id);
}

TEST_CASE("before any configuration there is none, and the gate is closed", "[groups]") {
  Groups groups({NodeId{1}, BootId{1}}, nullptr);
  CHECK(groups.configuration().id.seq == 0);
  CHECK_FALSE(groups.gate_open());
  GroupsOutput out;
  groups.open_session(SessionId{1}, "a", out);
  CHECK(out.deliveries.empty());
  const ConfigurationChange first{
      .kind = ConfigurationChange::Kind::regular,
      .id = {.seq = 4, .representative = NodeId{1}, .boot = BootId{1}},
      .previous = {},
      .members = {{NodeId{1}, BootId{1}}}};
  groups.on_configuration(first, out);
  CHECK(groups.gate_open());
  CHECK(out.submissions.empty());
  REQUIRE(out.deliveries.size() == 1);
  CHECK(groups.configuration().id.seq == 4);
}

TEST_CASE("joins and leaves are seen by all, in the order's place [GRP-3]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("a", names[0]);
  world.connect("b", names[1]);
  world.join("a", "g");
  world.run();
  world.join("b", "g");
  world.run();
  world.publish("b", {"g"}, "one", {.confirm = false});
  world.run();
  world.leave("a", "g");
  world.run();
  world.publish("b", {"g"}, "two", {.confirm = false});
  world.run();
  CHECK(
      world.client("a").story() ==
      Story{"config of 2", "g join {a} with {a}", "g join {a b} with {a}", "one", "g left"});
  CHECK(
      world.client("b").story() ==
      Story{"config of 2", "g join {a b} with {b}", "one", "g leave {b} with {b}", "two"});
  world.watcher().finish();
}

TEST_CASE("one envelope ends a session in all its groups [GRP-3]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  for (const auto cause : {Cause::leave, Cause::disconnect}) {
    const auto gone = "gone" + std::string(to_string(cause));
    const auto stays = "stays" + std::string(to_string(cause));
    world.connect(gone, names[0]);
    world.connect(stays, names[1]);
    for (const auto* group : {"h", "g"}) {
      world.join(gone, group);
      world.run();
      world.join(stays, group);
      world.run();
    }
    const auto before = world.client(stays).events.size();
    const auto silent = world.client(gone).events.size();
    world.publish(gone, {"g"}, "last words");
    world.close(gone, cause);
    world.run();
    const auto text = std::string(to_string(cause));
    CHECK(
        since(world.client(stays), before) ==
        Story{
            "last words",
            "g " + text + " {" + stays + "} with {" + stays + "}",
            "h " + text + " {" + stays + "} with {" + stays + "}"});
    CHECK(world.client(gone).events.size() == silent);
    CHECK(world.groups(names[0]).unordered_bytes(world.client(gone).self.session) == 0);
    world.close(stays);
    world.run();
    CHECK(world.groups(names[1]).group_count() == 0);
  }
}

TEST_CASE("a private name may come back while its former session still ends", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("x/1", names[0]);
  world.connect("b", names[1]);
  world.join("b", "g");
  world.run();
  world.join("x/1", "g");
  world.close("x/1");
  const auto& again = world.connect("x/2", names[0]);
  world.join("x/2", "g");
  const auto before = world.client("b").events.size();
  world.run();
  const auto story = since(world.client("b"), before);
  REQUIRE(story.size() == 3);
  CHECK(std::count(story.begin(), story.end(), "g disconnect {b} with {b}") == 1);
  CHECK(again.views().size() == 1);
  CHECK(world.groups(names[1]).rejected_envelopes() == 0);
}

TEST_CASE("a session without groups ends without an envelope [GRP-11]", "[groups]") {
  World world;
  const auto names = start_together(world, 1);
  world.connect("a", names[0]);
  GroupsOutput out;
  world.groups(names[0]).close_session(world.client("a").self.session, Cause::disconnect, out);
  CHECK(out.submissions.empty());
}

TEST_CASE("a message to several groups comes once, echo or not [GRP-2]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("a", names[0]);
  world.connect("b", names[0]);
  world.connect("c", names[1]);
  for (const auto* client : {"a", "b", "c"}) {
    world.join(client, "g");
    world.join(client, "h");
  }
  world.run();
  const auto a = world.client("a").events.size();
  const auto b = world.client("b").events.size();
  const auto c = world.client("c").events.size();
  world.publish("a", {"h", "g", "h"}, "to all", {.confirm = false});
  world.publish(
      "a", {"g", "#b#" + names[0], "#c#" + names[1]}, "no echo", {.echo = false, .confirm = false});
  world.run();
  CHECK(since(world.client("a"), a) == Story{"to all"});
  CHECK(since(world.client("b"), b) == Story{"to all", "no echo"});
  CHECK(since(world.client("c"), c) == Story{"to all", "no echo"});
  const auto& event = std::get<MessageEvent>(world.client("c").events[c]);
  CHECK(event.groups == std::vector<std::string>{"h", "g", "h"});
  CHECK(event.sender_name == "a");
  CHECK(event.sender_node == node_id(names[0]));
}

TEST_CASE("a session elsewhere with the sender's number is not excluded", "[groups]") {
  // Session numbers are unique within one daemon only.
  GroupsOutput out;
  Groups groups({NodeId{1}, BootId{1}}, nullptr);
  const ConfigurationChange first{
      .kind = ConfigurationChange::Kind::regular,
      .id = {.seq = 4, .representative = NodeId{1}, .boot = BootId{1}},
      .previous = {},
      .members = {{NodeId{1}, BootId{1}}}};
  groups.on_configuration(first, out);
  groups.open_session(SessionId{1}, "a", out);
  OrderedMessage message;
  message.configuration = first.id;
  message.originator = NodeId{1};
  message.payload = encode(JoinChange{SessionId{1}, "a", "g"});
  groups.on_message(message, out);
  out = {};
  ClientMessage sent;
  sent.session = SessionId{1};
  sent.sender = "b";
  sent.echo = false;
  sent.groups = {"g"};
  message.originator = NodeId{2};
  message.payload = encode(sent);
  groups.on_message(message, out);
  CHECK(out.deliveries.size() == 1);
}

TEST_CASE("private groups reach one session of one daemon [GRP-2]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("x/1", names[0]);
  world.connect("x/2", names[1]);
  world.publish("x/1", {"#x#" + names[1]}, "across", {.confirm = false});
  world.publish("x/1", {"#nobody#" + names[1]}, "lost", {.confirm = false});
  world.run();
  CHECK(world.client("x/1").story() == Story{"config of 2"});
  CHECK(world.client("x/2").story() == Story{"config of 2", "across"});
}

TEST_CASE("a message is confirmed after it was seen, and given credit back [GRP-10]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("a", names[0]);
  world.join("a", "g");
  world.run();
  const auto session = world.client("a").self.session;
  const auto before = world.client("a").events.size();
  const auto first = world.publish("a", {"g"}, "one");
  const auto second = world.publish("a", {"elsewhere"}, "two", {.service = Service::safe});
  world.publish("a", {"g"}, "three", {.confirm = false});
  CHECK(world.groups(names[0]).unordered_bytes(session) >= 11);
  world.run();
  CHECK(
      since(world.client("a"), before) == Story{
                                              "one",
                                              "confirm " + std::to_string(first),
                                              "confirm " + std::to_string(second) + " stable",
                                              "three"});
  CHECK(world.groups(names[0]).unordered_bytes(session) == 0);
}

TEST_CASE("the payload delivered is a slice of the message, not a copy", "[groups]") {
  World world;
  const auto names = start_together(world, 1);
  world.connect("a", names[0]);
  world.join("a", "g");
  world.run();
  world.publish("a", {"g"}, "payload", {.type = 9});
  world.run();
  const auto at = std::find_if(
      world.client("a").events.begin(), world.client("a").events.end(), [](const auto& event) {
        return std::holds_alternative<MessageEvent>(event);
      });
  REQUIRE(at != world.client("a").events.end());
  const auto& event = std::get<MessageEvent>(*at);
  CHECK(event.type == 9);
  CHECK(event.payload.size() == 7);
  CHECK(event.payload.block_bytes() > event.payload.size());
}

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
  while (world.originate(names[2])) {
  }
  world.reform({names[0], names[1]});
  CHECK(
      since(world.client("a"), before) == Story{
                                              "g transitional",
                                              "g join {a late c} with {a}",
                                              "h join {a ghost} with {a}",
                                              "h transitional",
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
  CHECK(world.client("b").views()[3].with_me == std::vector<Member>{world.client("b").self});
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

TEST_CASE("redundant and malformed envelopes change nothing and are counted [GRP-12]", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("a", names[0]);
  world.join("a", "g");
  world.run();
  const auto before = world.client("a").events.size();
  const auto session = world.client("a").self.session;
  world.inject(names[0], encode(JoinChange{session, "a", "g"}));
  world.inject(names[0], encode(JoinChange{session, "other", "h"}));
  world.inject(names[0], encode(LeaveChange{session, "h"}));
  world.inject(names[1], encode(LeaveChange{session, "g"}));
  world.inject(names[1], BufferRef::copy_of("what?"));
  world.inject(names[1], BufferRef());
  world.inject(names[1], encode(DisconnectChange{session, false}));
  world.run();
  CHECK(world.client("a").events.size() == before);
  CHECK(world.groups(names[0]).rejected_envelopes() == 6);
  CHECK(world.groups(names[1]).rejected_envelopes() == 6);
}

TEST_CASE("members can be listed for one group or all", "[groups]") {
  World world;
  const auto names = start_together(world, 2);
  world.connect("a", names[0]);
  world.join("a", "h");
  world.join("a", "g");
  world.run();
  const auto all = world.groups(names[1]).members("");
  REQUIRE(all.size() == 2);
  CHECK(all[0].first == "g");
  CHECK(all[1].second == std::vector<Member>{world.client("a").self});
  CHECK(world.groups(names[1]).members("h").size() == 1);
  CHECK(world.groups(names[1]).members("i").empty());
  CHECK(world.groups(names[1]).group_count() == 2);
}

}  // namespace
}  // namespace ringcast::test
