// SPDX-License-Identifier: Apache-2.0
//
// Nodes together on a wire that loses nothing: they find one another, order equally, sleep when
// idle and wake at once.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/node/cluster.hpp"
#include "tests/unit/wire/samples.hpp"

namespace ringcast {
namespace {

using node_test::Cluster;
using std::chrono::milliseconds;
using std::chrono::seconds;

void require_equal(const std::vector<OrderedMessage>& a, const std::vector<OrderedMessage>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].seq == b[i].seq);
    REQUIRE(a[i].index == b[i].index);
    REQUIRE(a[i].originator == b[i].originator);
    REQUIRE(a[i].service == b[i].service);
    REQUIRE(a[i].transitional == b[i].transitional);
    const auto whole = a[i].payload.joined();
    const auto other = b[i].payload.joined();
    const auto left = whole.bytes();
    const auto right = other.bytes();
    REQUIRE(std::equal(left.begin(), left.end(), right.begin(), right.end()));
  }
}

}  // namespace

TEST_CASE("nodes that start together become one configuration, in ring order") {
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"a"}, {"a", "b"}, {"a", "b", "c"}, {"a", "b", "c", "d", "e"}}) {
    CAPTURE(names.size());
    Cluster cluster(names);
    cluster.start_all();
    const auto time =
        cluster.run_until([&] { return cluster.is_formed(names.size()); }, seconds{5});
    REQUIRE(cluster.is_formed(names.size()));
    CHECK(time < seconds{2});
    const auto formed = cluster.configuration(0);
    CHECK(std::is_sorted(formed.members.begin(), formed.members.end()));
    CHECK(formed.id.representative == formed.members.front().node);
    cluster.run(seconds{20});
    for (std::size_t at = 0; at < names.size(); ++at) {
      CHECK(cluster.configuration(at).id == formed.id);  // and stay it
    }
  }
}

TEST_CASE("a node that starts later is taken in, idle or under load") {
  for (const bool loaded : {false, true}) {
    Cluster cluster({"a", "b", "c"});
    cluster.start(0);
    cluster.start(1);
    (void)cluster.run_until([&] { return cluster.is_formed(2); }, seconds{5});
    REQUIRE(cluster.is_formed(2));
    const auto publisher = cluster.client(0, "pub");
    cluster.start(2);
    for (int i = 0; i < 100 && !cluster.is_formed(3); ++i) {
      if (loaded) cluster.publish(0, publisher, Service::agreed, std::string(1000, 'x'));
      cluster.run(milliseconds{20});
    }
    CHECK(cluster.is_formed(3));
  }
}

TEST_CASE("messages of all nodes are ordered equally at all nodes") {
  for (const std::size_t size : {2U, 3U}) {
    std::vector<std::string> names{"a", "b", "c"};
    names.resize(size);
    Cluster cluster(names);
    cluster.form();
    const RingId ring = cluster.configuration(0).id;
    std::vector<SessionId> clients;
    clients.reserve(size);
    for (std::size_t at = 0; at < size; ++at) {
      clients.push_back(cluster.client(at, "pub"));
      cluster.send(at, clients[at], [](ByteWriter& out) { encode_join(out, "g"); });
    }
    cluster.run(milliseconds{100});
    Random random(size);
    for (int i = 0; i < 600; ++i) {
      const auto at = random.below(size);
      const auto service = static_cast<Service>(random.below(5));
      cluster.publish(
          at, clients[at], service, std::to_string(i) + std::string(random.below(4000), '.'));
      if (random.below(5) == 0) cluster.run(milliseconds{random.below(5)});
    }
    cluster.run(seconds{2});
    const auto reference = cluster.messages(0, ring);
    REQUIRE(reference.size() >= 600 + size);
    for (std::size_t at = 0; at < size; ++at) {
      require_equal(reference, cluster.messages(at, ring));
      CHECK(cluster.frames<MessageFrame>(at, clients[at]).size() == 600);
      CHECK(cluster.configuration(at).id == ring);
    }
  }
}

TEST_CASE("a message of 8 MiB reaches everyone whole while others go on") {
  Cluster cluster({"a", "b", "c"});
  cluster.form();
  const auto large = cluster.client(1, "large");
  const auto small = cluster.client(2, "small");
  cluster.send(2, small, [](ByteWriter& out) { encode_join(out, "g"); });
  cluster.run(milliseconds{100});
  const auto payload = samples::payload(5, std::size_t{8} << 20U);
  cluster.publish(1, large, "g", Service::safe, payload.bytes());
  cluster.publish(2, small, Service::agreed, "meanwhile");
  (void)cluster.run_until(
      [&] { return !cluster.frames<ConfirmEvent>(1, large).empty(); }, seconds{30});
  cluster.run(seconds{1});
  const auto got = cluster.frames<MessageFrame>(2, small);
  REQUIRE(got.size() == 2);
  CHECK(got[0].payload.size() == 9);  // it did not wait for the large one
  REQUIRE(got[1].payload.size() == payload.size());
  CHECK(std::equal(got[1].payload.begin(), got[1].payload.end(), payload.bytes().begin()));
}

TEST_CASE("a safe message waits for all, an agreed one does not [DLV-2]") {
  // On a ring with a dead member safe messages pass only in the transitional configuration.
  Cluster cluster({"a", "b", "c"});
  cluster.form();
  const RingId ring = cluster.configuration(0).id;
  const std::vector<SessionId> clients{cluster.client(0, "pub"), cluster.client(1, "pub")};
  cluster.run(milliseconds{10});  // the token rests, and is not lost with the member
  cluster.crash(2);
  for (std::size_t at = 0; at < 2; ++at) {
    cluster.publish(at, clients[at], Service::agreed, "agreed");
    cluster.publish(at, clients[at], Service::safe, "safe");
  }
  (void)cluster.run_until([&] { return cluster.is_formed(2); }, seconds{5});
  std::size_t in_old_ring = 0;
  for (const auto& message : cluster.messages(0, ring)) {
    if (message.service != Service::safe) continue;
    ++in_old_ring;
    CHECK(message.transitional);
  }
  CHECK(in_old_ring > 0);
  require_equal(cluster.messages(0, ring), cluster.messages(1, ring));
}

TEST_CASE("a safe message is confirmed as stable") {
  Cluster cluster({"a", "b", "c"});
  cluster.form();
  const auto publisher = cluster.client(0, "pub");
  cluster.publish(0, publisher, Service::safe, "kept");
  std::vector<ConfirmEvent> confirms;
  (void)cluster.run_until(
      [&] {
        confirms = cluster.frames<ConfirmEvent>(0, publisher);
        return !confirms.empty();
      },
      seconds{5});
  REQUIRE(confirms.size() == 1);
  CHECK(confirms[0].stable);
  CHECK_FALSE(confirms[0].transitional);
}

TEST_CASE("an idle ring is quiet and a message wakes it at once, wherever it is sent [ORD-9]") {
  Cluster cluster({"a", "b", "c"});
  cluster.form();
  std::vector<SessionId> clients;
  clients.reserve(3);
  for (std::size_t at = 0; at < 3; ++at) {
    clients.push_back(cluster.client(at, "pub"));
  }
  const auto everyone_has = [&](std::size_t count) {
    for (std::size_t at = 0; at < 3; ++at) {
      if (cluster.messages(at, cluster.configuration(at).id).size() < count) return false;
    }
    return true;
  };
  cluster.run(seconds{1});
  std::size_t sent = cluster.messages(0, cluster.configuration(0).id).size();
  for (int round = 0; round < 4; ++round) {
    for (std::size_t at = 0; at < 3; ++at) {
      CAPTURE(at, round);
      cluster.run(milliseconds{10});  // until the token rests
      std::vector<std::uint64_t> before;
      before.reserve(3);
      for (std::size_t n = 0; n < 3; ++n) {
        before.push_back(cluster.datagrams_sent(n));
      }
      cluster.run(seconds{2} + milliseconds{17 * round});
      for (std::size_t n = 0; n < 3; ++n) {
        CHECK(cluster.datagrams_sent(n) - before[n] <= 40);  // under 20 a second [P10]
        cluster.publish(at, clients[at], Service::safe, "wake");
      }
      ++sent;
      const auto time = cluster.run_until([&] { return everyone_has(sent); }, seconds{1});
      CHECK(everyone_has(sent));
      CHECK(time < milliseconds{5});
    }
  }
}

TEST_CASE("nothing is on the wire before the first reserve, and nothing above it later [MBR-3]") {
  Cluster cluster({"a", "b"});
  cluster.persist_at_once(false);
  cluster.start_all();
  cluster.run(seconds{10});
  CHECK(cluster.datagrams_sent(0) == 0);
  CHECK(cluster.datagrams_sent(1) == 0);
  CHECK(cluster.ordered(0).empty());
  CHECK(cluster.status(0).state == "starting");
  REQUIRE(cluster.asked(0).has_value());
  REQUIRE(cluster.asked(1).has_value());
  cluster.persist(0);
  cluster.run(seconds{2});
  CHECK(cluster.datagrams_sent(0) > 0);
  CHECK(cluster.datagrams_sent(1) == 0);
  CHECK(cluster.configuration(0).members.size() == 1);
  cluster.persist(1);
  (void)cluster.run_until([&] { return cluster.is_formed(2); }, seconds{5});
  CHECK(cluster.is_formed(2));  // every datagram was compared with its sender's reserve
}

TEST_CASE("the others go on without a crashed node, and its next run joins anew [MBR-8]") {
  Cluster cluster({"a", "b", "c"});
  cluster.form();
  const auto before = cluster.configuration(0);
  const auto publisher = cluster.client(0, "pub");
  cluster.crash(2);
  cluster.publish(0, publisher, Service::safe, "in between");
  const auto time = cluster.run_until([&] { return cluster.is_formed(2); }, seconds{5});
  REQUIRE(cluster.is_formed(2));
  CHECK(time < milliseconds{400 + 2 * 480 + 100});
  CHECK(cluster.configuration(0).previous == before.id);
  cluster.start(2);
  (void)cluster.run_until([&] { return cluster.is_formed(3); }, seconds{15});
  REQUIRE(cluster.is_formed(3));
  CHECK(cluster.configuration(0).members != before.members);  // another run is another member
  // Sent while the ring was broken: delivered once, equally, and confirmed.
  std::size_t copies = 0;
  for (const auto& event : cluster.ordered(0)) {
    copies += std::holds_alternative<OrderedMessage>(event) &&
                      std::get<OrderedMessage>(event).service == Service::safe
                  ? 1U
                  : 0U;
  }
  CHECK(copies == 1);
  CHECK(cluster.frames<ConfirmEvent>(0, publisher).size() == 1);
}

TEST_CASE("a node that leaves cleanly is gone without anyone waiting for a timer [MBR-14]") {
  Cluster cluster({"a", "b", "c"});
  cluster.form();
  const auto visitor = cluster.client(2, "visitor");
  cluster.send(2, visitor, [](ByteWriter& out) { encode_join(out, "g"); });
  cluster.run(milliseconds{200});
  cluster.leave(2);
  CHECK(cluster.was_closed(2, visitor));
  const auto time = cluster.run_until([&] { return cluster.is_formed(2); }, seconds{5});
  REQUIRE(cluster.is_formed(2));
  CHECK(cluster.node(2).stopped());
  CHECK(time < milliseconds{100});
}

TEST_CASE("alone again, a node forms a ring of one and orders what waited") {
  Cluster cluster({"a", "b"});
  cluster.form();
  const auto publisher = cluster.client(0, "pub");
  cluster.run(milliseconds{50});
  cluster.crash(1);
  for (int i = 0; i < 20; ++i) {
    cluster.publish(0, publisher, Service::safe, "waits");
  }
  (void)cluster.run_until([&] { return cluster.is_formed(1); }, seconds{5});
  REQUIRE(cluster.is_formed(1));
  cluster.run(seconds{1});
  CHECK(cluster.frames<ConfirmEvent>(0, publisher).size() == 20);
}

TEST_CASE("noise on the wire is counted and disturbs nobody [WIR-3]") {
  Cluster cluster({"a", "b"});
  cluster.form();
  const RingId ring = cluster.configuration(0).id;
  Random random(3);
  for (int i = 0; i < 500; ++i) {
    const auto datagrams = samples::datagrams(random);  // unsealed
    cluster.receive(0, datagrams[random.below(datagrams.size())]);
    cluster.receive(0, samples::payload(random.next(), random.below(200)));
  }
  cluster.run(seconds{1});
  CHECK(cluster.configuration(0).id == ring);
  std::uint64_t rejected = 0;
  for (const auto& [name, value] : cluster.status(0).counters) {
    if (name.starts_with("datagrams_rejected")) rejected += value;
  }
  CHECK(rejected == 1000);
}

}  // namespace ringcast
