// SPDX-License-Identifier: Apache-2.0
//
// What a node does for clients: the greeting, its limits, and how a session ends.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/node/cluster.hpp"

namespace ringcast {
namespace {

using node_test::Cluster;
using std::chrono::milliseconds;
using std::chrono::seconds;

void join(Cluster& cluster, SessionId session, std::string_view group, std::size_t at = 0) {
  cluster.send(at, session, [&](ByteWriter& out) { encode_join(out, group); });
}

std::uint64_t counter(const NodeStatus& status, std::string_view name) {
  for (const auto& [key, value] : status.counters) {
    if (key == name) return value;
  }
  return 0;
}

// Messages of 1000 bytes to "g", by a client of node 0.
void publish_kilobytes(
    Cluster& cluster, SessionId client, int count, Service service = Service::agreed) {
  for (int i = 0; i < count; ++i) {
    cluster.publish(0, client, service, std::string(1000, 'x'));
  }
}

}  // namespace

TEST_CASE("a client is welcomed by name and told the configuration before anything else") {
  Cluster cluster({"a"});
  cluster.form();
  const auto client = cluster.client(0, "pub");
  const auto welcomes = cluster.frames<WelcomeInfo>(0, client);
  REQUIRE(welcomes.size() == 1);
  CHECK(welcomes[0].name == "pub");
  CHECK(welcomes[0].daemon == "a");
  const auto configurations = cluster.frames<ConfigurationEvent>(0, client);
  REQUIRE(configurations.size() == 1);
  CHECK(configurations[0].id == cluster.configuration(0).id);
}

TEST_CASE("clients without a name get different ones") {
  Cluster cluster({"a"});
  cluster.form();
  const auto taken = cluster.client(0, "c2");
  const auto one = cluster.client(0, "");
  const auto two = cluster.client(0, "");
  CHECK_FALSE(cluster.was_closed(0, taken));
  const auto name_one = cluster.frames<WelcomeInfo>(0, one).at(0).name;
  const auto name_two = cluster.frames<WelcomeInfo>(0, two).at(0).name;
  CHECK_FALSE(name_one.empty());
  CHECK(name_one != name_two);
  CHECK(name_one != "c2");
}

TEST_CASE("a name in use is refused with the reason, and free again afterwards") {
  Cluster cluster({"a"});
  cluster.form();
  const auto first = cluster.client(0, "pub");
  const auto second = cluster.client(0, "pub");
  CHECK(cluster.was_closed(0, second));
  const auto closed = cluster.frames<ClosedFrame>(0, second);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].reason.code == Errc::name_in_use);
  cluster.send(0, first, [](ByteWriter& out) { encode_goodbye(out); });
  CHECK(cluster.was_closed(0, first));
  CHECK_FALSE(cluster.was_closed(0, cluster.client(0, "pub")));
}

TEST_CASE("more sessions than the limit are closed with a reason") {
  SessionConfig session;
  session.sessions_max = 3;
  Cluster cluster({"a"}, session);
  cluster.form();
  std::vector<SessionId> clients;
  clients.reserve(5);
  for (int i = 0; i < 5; ++i) {
    clients.push_back(cluster.client(0, ""));
  }
  CHECK_FALSE(cluster.was_closed(0, clients[2]));
  for (const auto client : {clients[3], clients[4]}) {
    CHECK(cluster.was_closed(0, client));
    CHECK(cluster.frames<ClosedFrame>(0, client).at(0).reason.code == Errc::limit_exceeded);
  }
  CHECK(cluster.status(0).sessions == 3);
}

TEST_CASE("who says nothing is closed in time, and who spoke is not") {
  Cluster cluster({"a"});
  cluster.form();
  const auto silent = cluster.connect(0);
  const auto client = cluster.client(0, "pub");
  cluster.run(milliseconds{4900});
  CHECK_FALSE(cluster.was_closed(0, silent));
  cluster.run(milliseconds{200});
  CHECK(cluster.was_closed(0, silent));
  cluster.run(seconds{60});
  CHECK_FALSE(cluster.was_closed(0, client));
}

TEST_CASE("bytes that are no session close it, and only it") {
  Cluster cluster({"a"});
  cluster.form();
  const auto good = cluster.client(0, "good");
  const auto bad = cluster.connect(0);
  const std::string noise = "GET / HTTP/1.1\r\n\r\n";
  cluster.send_bytes(0, bad, std::as_bytes(std::span{noise.data(), noise.size()}));
  CHECK(cluster.was_closed(0, bad));
  cluster.send(0, good, [](ByteWriter& out) { encode_ping(out, 7); });
  const auto pongs = cluster.frames<PongFrame>(0, good);
  REQUIRE(pongs.size() == 1);
  CHECK(pongs[0].request == 7);
}

TEST_CASE("a client that does not read is closed with a reason and slows nobody [FLW-6]") {
  SessionConfig session;
  session.backlog_bytes_max = 100000;
  Cluster cluster({"a"}, session);
  cluster.form();
  const auto lazy = cluster.client(0, "lazy");
  join(cluster, lazy, "g");
  const auto publisher = cluster.client(0, "pub");
  cluster.run(milliseconds{10});
  cluster.reads(false);
  publish_kilobytes(cluster, publisher, 150);
  CHECK(cluster.was_closed(0, lazy));
  CHECK(cluster.frames<ClosedFrame>(0, lazy).at(0).reason.code == Errc::limit_exceeded);
  CHECK_FALSE(cluster.was_closed(0, publisher));
  CHECK(cluster.frames<ConfirmEvent>(0, publisher).size() == 150);
}

TEST_CASE("a client that reads is not closed for a burst longer than its backlog [FLW-6]") {
  SessionConfig session;
  session.backlog_bytes_max = 10000;
  Cluster cluster({"a", "b"}, session);
  cluster.form();
  const auto reader = cluster.client(1, "reader");
  join(cluster, reader, "g", 1);
  const auto publisher = cluster.client(0, "pub");
  cluster.run(milliseconds{10});
  publish_kilobytes(cluster, publisher, 150, Service::safe);
  cluster.run(milliseconds{500});
  CHECK_FALSE(cluster.was_closed(1, reader));
  CHECK(cluster.frames<MessageFrame>(1, reader).size() == 150);
}

TEST_CASE("a full send queue stops those who filled it and nobody else [FLW-5]") {
  RingConfig ring;
  ring.send_queue_bytes_max = 10000;
  Cluster cluster({"a", "b"}, {}, ring);
  cluster.form();
  const auto busy = cluster.client(0, "busy");
  const auto other = cluster.client(0, "other");
  publish_kilobytes(cluster, busy, 11);
  CHECK_FALSE(cluster.node(0).may_read(busy));
  CHECK(cluster.node(0).may_read(other));
  CHECK(cluster.node(0).may_read(cluster.connect(0)));
  cluster.publish(0, other, Service::agreed, "one");
  CHECK_FALSE(cluster.node(0).may_read(other));
  cluster.run(milliseconds{200});
  CHECK(cluster.node(0).may_read(busy));
  CHECK(cluster.node(0).may_read(other));
}

TEST_CASE("a full send queue takes no more from those who come and go [FLW-5]") {
  RingConfig ring;
  ring.send_queue_bytes_max = 10000;
  Cluster cluster({"a", "b"}, {}, ring);
  cluster.form();
  const auto sink = cluster.client(1, "sink");
  join(cluster, sink, "g", 1);
  cluster.run(milliseconds{10});
  constexpr std::size_t visitors = 40;
  std::vector<SessionId> sessions;
  for (std::size_t i = 0; i < visitors; ++i) {
    const auto visitor = sessions.emplace_back(cluster.client(0, ""));
    publish_kilobytes(cluster, visitor, 1);
    cluster.send(0, visitor, [](ByteWriter& out) { encode_goodbye(out); });
  }
  CHECK(counter(cluster.status(0), "ring_queue_bytes") < 12000);
  CHECK_FALSE(cluster.was_closed(0, sessions.back()));  // its goodbye waits behind its message
  cluster.run(milliseconds{500});
  CHECK(cluster.was_closed(0, sessions.back()));
  CHECK(cluster.frames<MessageFrame>(1, sink).size() == visitors);
}

TEST_CASE("questions that one read brings are answered as fast as the answers are read [FLW-6]") {
  SessionConfig session;
  session.credit_bytes = 10000;
  session.backlog_bytes_max = 100000;
  Cluster cluster({"a"}, session);
  cluster.form();
  const auto asker = cluster.client(0, "asker");
  for (int i = 0; i < 20; ++i) {
    join(cluster, asker, "a-group-with-a-long-name-" + std::to_string(i));
  }
  cluster.run(milliseconds{10});
  constexpr std::size_t questions = 1000;
  cluster.send(0, asker, [](ByteWriter& out) {
    for (std::uint64_t i = 1; i <= questions; ++i) {
      encode_groups_request(out, i, "");
    }
  });
  const auto first = cluster.frames<GroupsFrame>(0, asker).size();
  CHECK(first > 0);
  CHECK(first < 30);
  CHECK_FALSE(cluster.node(0).may_read(asker));
  cluster.run(milliseconds{10});
  CHECK(first + cluster.frames<GroupsFrame>(0, asker).size() == questions);
  CHECK_FALSE(cluster.was_closed(0, asker));
}

TEST_CASE("a client beyond its credit is not read until its messages are ordered [FLW-5]") {
  SessionConfig session;
  session.credit_bytes = 10000;
  Cluster cluster({"a", "b"}, session);
  cluster.form();
  const auto busy = cluster.client(0, "busy");
  const auto other = cluster.client(0, "other");
  CHECK(cluster.node(0).may_read(busy));
  publish_kilobytes(cluster, busy, 11);
  CHECK_FALSE(cluster.node(0).may_read(busy));
  CHECK(cluster.node(0).may_read(other));
  cluster.run(milliseconds{200});
  CHECK(cluster.node(0).may_read(busy));
}

TEST_CASE("a client that vanishes leaves its groups, seen by those who stay") {
  Cluster cluster({"a"});
  cluster.form();
  const auto stays = cluster.client(0, "stays");
  const auto goes = cluster.client(0, "goes");
  join(cluster, stays, "g");
  join(cluster, goes, "g");
  cluster.run(milliseconds{10});
  CHECK(cluster.frames<ViewEvent>(0, stays).size() == 2);
  cluster.send(0, goes, [](ByteWriter& out) { encode_goodbye(out); });
  const auto views = cluster.frames<ViewEvent>(0, stays);
  REQUIRE(views.size() == 1);
  CHECK(views[0].cause == Cause::leave);
  REQUIRE(views[0].members.size() == 1);
  CHECK(views[0].members[0].name == "stays");
}

}  // namespace ringcast
