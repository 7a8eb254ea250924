// SPDX-License-Identifier: Apache-2.0
//
// Groups, rule by rule: small histories whose every event is written down.
#include "protocol/groups/groups.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/groups/envelope.hpp"
#include "tests/unit/groups/story.hpp"

namespace ringcast::test {
namespace {

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
  groups.on_message(OrderedMessage(message), out);
  out = {};
  ClientMessage sent;
  sent.session = SessionId{1};
  sent.sender = "b";
  sent.echo = false;
  sent.groups = {"g"};
  message.originator = NodeId{2};
  message.payload = encode(sent);
  groups.on_message(OrderedMessage(message), out);
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

TEST_CASE("joins and leaves cost credit like messages, with all their bytes [GRP-10]", "[groups]") {
  World world;
  const auto names = start_together(world, 1);
  world.connect("a", names[0]);
  const auto session = world.client("a").self.session;
  const auto unordered = [&] { return world.groups(names[0]).unordered_bytes(session); };
  const std::string group(60, 'g');
  world.join("a", group);
  const auto after_join = unordered();
  CHECK(after_join >= group.size());
  world.publish("a", std::vector<std::string>(64, group), "");
  const auto after_publish = unordered();
  CHECK(after_publish - after_join >= 64 * group.size());
  world.run();
  CHECK(unordered() == 0);
  world.leave("a", group);
  CHECK(unordered() >= group.size());
  world.run();
  CHECK(unordered() == 0);
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
  const auto envelope = world.newest(names[0]).payload.front().bytes();
  CHECK(event.payload.front().bytes().data() == envelope.last(7).data());
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
