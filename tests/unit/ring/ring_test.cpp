// SPDX-License-Identifier: Apache-2.0
//
// Ring alone: what must hold before there are others, and against packets that no working
// daemon sends.
#include "protocol/ring/ring.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/wire/codec.hpp"
#include "tests/unit/ring/alone.hpp"
#include "tests/unit/wire/samples.hpp"

namespace ringcast {
namespace {

using namespace ring_test;
using std::chrono::milliseconds;

const OrderedMessage& message(const OrderedEvent& event) {
  REQUIRE(std::holds_alternative<OrderedMessage>(event));
  return std::get<OrderedMessage>(event);
}

std::vector<NodeKey> many_keys(std::uint32_t count, std::uint32_t first) {
  std::vector<NodeKey> keys;
  for (std::uint32_t i = 0; i < count; ++i) {
    keys.push_back(NodeKey{NodeId{first + i}, BootId{1}});
  }
  return keys;
}

}  // namespace

TEST_CASE("a ring does nothing before its numbers are reserved [MBR-3]") {
  Alone node({self, other.node}, 1000);
  CHECK(node.ring().phase() == RingPhase::starting);
  CHECK(node.waits_for_persist());
  CHECK(node.asked() > 1000);
  node.receive(Join{.leave = false, .ring_seq = 7, .proc = {other}, .fail = {}});
  node.receive(Probe{.ring = RingId{3, other.node, other.boot}, .echo = BootId{1}});
  node.pass(std::chrono::seconds{10});
  CHECK(node.sent().empty());
  CHECK(node.events().empty());
  CHECK(node.ring().phase() == RingPhase::starting);
}

TEST_CASE("the first configuration is the singleton, above every number of earlier runs [MBR-2]") {
  Alone node({self, other.node}, 1000);
  node.persist();
  const auto events = node.events();
  REQUIRE(events.size() == 1);
  const auto& change = std::get<ConfigurationChange>(events[0]);
  CHECK(change.kind == ConfigurationChange::Kind::regular);
  CHECK(change.id.seq == 1001);
  CHECK(change.previous.seq == 0);
  CHECK(change.members == std::vector<NodeKey>{NodeKey{self, BootId{1}}});
  CHECK(node.ring().phase() == RingPhase::operational);
}

TEST_CASE("alone a packet is as large as may be, whatever the path [WIR-7]") {
  constexpr std::size_t messages = 40;
  constexpr std::size_t bytes = 1400;  // fifty would fit
  Alone node({self});
  node.ring().set_path(1472, 1U << 20U);
  node.open();
  node.input([&] {
    for (std::size_t i = 0; i < messages; ++i) {
      node.ring().submit_client(BufferRef::copy_of(std::string(bytes, 'm')), Service::agreed);
    }
  });
  const auto events = node.events();
  REQUIRE(events.size() == messages);
  for (std::size_t i = 0; i < messages; ++i) {
    CHECK(message(events[i]).seq == message(events[0]).seq);
    CHECK(message(events[i]).index == i);
    CHECK(message(events[i]).payload.size() == bytes);
  }
  CHECK(node.sent().empty());
}

TEST_CASE("a ring of one orders agreed and safe messages within the input that brings them") {
  Alone node({self});
  node.open();
  for (int i = 0; i < 50; ++i) {
    const auto service = i % 2 == 0 ? Service::agreed : Service::safe;
    node.submit(BufferRef::copy_of("message " + std::to_string(i)), service);
    const auto events = node.events();
    REQUIRE(events.size() == 1);
    CHECK(message(events[0]).service == service);
    CHECK_FALSE(message(events[0]).transitional);
  }
  CHECK(node.ring().is_drained());
  CHECK(node.sent().empty());
  node.pass(std::chrono::seconds{10});
  CHECK(node.ring().counters().tokens_lost == 0);
}

TEST_CASE("a ring of one orders a message of 8 MiB and many at once") {
  Alone node({self});
  node.open();
  constexpr std::size_t size = std::size_t{8} << 20U;
  const auto large = samples::payload(3, size);
  node.submit(large, Service::safe);
  auto events = node.events();
  REQUIRE(events.size() == 1);
  const auto payload = message(events[0]).payload.joined();
  const auto got = payload.bytes();
  CHECK(std::equal(got.begin(), got.end(), large.bytes().begin(), large.bytes().end()));
  node.input([&] {
    for (int i = 0; i < 20000; ++i) {
      node.ring().submit_client(samples::payload(1, 100), Service::agreed);
    }
  });
  CHECK(node.events().size() == 20000);
  CHECK(node.ring().queued_bytes() == 0);
}

TEST_CASE("client messages wait for the gate, exchange messages do not [GRP-5]") {
  Alone node({self});
  node.persist();
  (void)node.events();
  node.submit(BufferRef::copy_of("client"), Service::agreed);
  CHECK(node.events().empty());
  node.input([&] { node.ring().submit_exchange(BufferRef::copy_of("exchange")); });
  CHECK(node.events().size() == 1);
  node.input([&] { node.ring().open_gate(RingId{99, self, BootId{1}}); });  // another ring's
  CHECK(node.events().empty());
  node.input([&] { node.ring().open_gate(node.ring().ring()); });
  CHECK(node.events().size() == 1);
}

TEST_CASE("who is alone and finds nobody keeps its configuration") {
  Alone node({self, other.node});
  node.persist();
  (void)node.events();
  const RingId before = node.ring().ring();
  node.receive(Probe{.ring = RingId{3, other.node, other.boot}, .echo = BootId{1}});
  CHECK(node.ring().phase() == RingPhase::gather);
  node.pass(std::chrono::seconds{5});
  CHECK(node.ring().phase() == RingPhase::operational);
  CHECK(node.ring().ring() == before);
  CHECK(node.events().empty());
  node.input([&] { node.ring().open_gate(before); });
  node.submit(BufferRef::copy_of("still here"), Service::safe);
  CHECK(node.events().size() == 1);
}

TEST_CASE("a probe that does not echo our run is answered and disturbs nothing [MBR-11]") {
  Alone node({self, other.node});
  node.persist();
  node.pass(milliseconds{1});
  (void)node.sent();
  for (const auto echo : {std::optional<BootId>{}, std::optional{BootId{77}}}) {
    node.receive(Probe{.ring = RingId{3, other.node, other.boot}, .echo = echo});
    CHECK(node.ring().phase() == RingPhase::operational);
    const auto sent = node.sent();
    REQUIRE(sent.size() == 1);
    CHECK(std::get<Probe>(sent[0].body).echo == other.boot);
    node.pass(milliseconds{20});
    (void)node.sent();
  }
}

TEST_CASE("a ring number beyond the reserve is not shown before the reserve covers it [MBR-3]") {
  Alone node({self, other.node});
  node.persist();
  const Join far{.leave = false, .ring_seq = 5000, .proc = {me, other}, .fail = {}};
  node.receive(far);
  CHECK(node.ring().phase() == RingPhase::operational);  // it comes again
  REQUIRE(node.waits_for_persist());
  CHECK(node.asked() > 5000);
  node.receive(far);
  CHECK(node.ring().phase() == RingPhase::operational);
  node.persist();
  (void)node.sent();
  node.receive(far);
  CHECK(node.ring().phase() == RingPhase::commit);
  bool committed = false;
  for (const auto& packet : node.sent()) {
    const auto* const commit = std::get_if<CommitToken>(&packet.body);
    if (commit == nullptr) continue;
    committed = true;
    CHECK(commit->ring.seq == 5001);
  }
  CHECK(committed);
}

TEST_CASE("attempts that fail use up the reserve, and the next waits for another [MBR-3]") {
  Alone node({self, other.node});
  node.persist();
  Join join{.leave = false, .ring_seq = 0, .proc = {{self, BootId{1}}, other}, .fail = {}};
  int attempts = 0;
  while (!node.waits_for_persist() && attempts < 2000) {
    ++attempts;
    node.receive(join);
    if (node.ring().phase() == RingPhase::commit) node.pass(milliseconds{400});
    REQUIRE(node.ring().phase() == RingPhase::gather);
    for (const auto& packet : node.sent()) {  // the other sees each token and loses it
      const auto* const commit = std::get_if<CommitToken>(&packet.body);
      if (commit != nullptr) join.ring_seq = commit->ring.seq;
    }
  }
  CHECK(attempts > 1000);
  REQUIRE(node.waits_for_persist());
  node.receive(join);
  CHECK(node.ring().phase() == RingPhase::gather);
  node.persist();
  node.receive(join);
  CHECK(node.ring().phase() == RingPhase::commit);
}

TEST_CASE("who never sees the commit token is failed after two attempts [MBR-16]") {
  Alone node({self, other.node});
  node.persist();
  const RingId before = node.ring().ring();
  const Join join{.leave = false, .ring_seq = 0, .proc = {me, other}, .fail = {}};
  for (int attempt = 0; attempt < 2; ++attempt) {
    node.receive(join);
    REQUIRE(node.ring().phase() == RingPhase::commit);
    node.pass(milliseconds{400});
  }
  node.receive(join);
  CHECK(node.ring().phase() == RingPhase::operational);  // alone
  CHECK(node.ring().ring() > before);
}

TEST_CASE("a join that fails us is ignored while we are operational [MBR-6]") {
  Alone node({self, other.node});
  node.persist();
  node.receive(Join{.leave = false, .ring_seq = 0, .proc = {me, other}, .fail = {me}});
  CHECK(node.ring().phase() == RingPhase::operational);
}

TEST_CASE("a join full of strangers is survived and forgotten") {
  Alone node({self, other.node});
  node.persist();
  Join join{.leave = false, .ring_seq = 0, .proc = many_keys(join_keys_max - 2, 1000), .fail = {}};
  join.proc.insert(join.proc.begin(), {me, other});
  join.fail = many_keys(join_keys_max, 100000);
  for (int i = 0; i < 5; ++i) {
    node.receive(join);
    node.pass(milliseconds{10});
  }
  for (const auto& packet : node.sent()) {
    if (const auto* const sent = std::get_if<Join>(&packet.body)) {
      REQUIRE(sent->proc.size() <= join_keys_max);
      REQUIRE(sent->fail.size() <= join_keys_max);
    }
  }
  node.pass(std::chrono::seconds{5});
  CHECK(node.ring().phase() == RingPhase::operational);
}

TEST_CASE("packets of unknown senders, foreign rings and our own clone change nothing") {
  Alone node({self, other.node});
  node.persist();
  Random random(9);
  const RingId before = node.ring().ring();
  const NodeKey stranger{NodeId{99}, BootId{9}};
  const NodeKey clone{self, BootId{9}};
  for (const auto& sender : {stranger, clone}) {
    node.receive(samples::token(random), sender);
    node.receive(samples::join(random), sender);
    node.receive(samples::probe(random), sender);
    node.receive(Wakeup{before}, sender);
  }
  node.receive(samples::token(random));
  node.receive(samples::data(random, samples::entries(random)));
  node.receive(samples::commit(random));
  node.receive(Wakeup{samples::ring(random)});
  CHECK(node.ring().phase() == RingPhase::operational);
  CHECK(node.ring().ring() == before);
}

TEST_CASE("random packets in every order break no assertion") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Alone node({NodeId{5}, self, other.node});
    node.persist();
    Random random(seed);
    for (int i = 0; i < 300; ++i) {
      if (node.waits_for_persist() && random.below(2) == 0) node.persist();
      const NodeKey sender{random.below(2) == 0 ? other.node : NodeId{5}, BootId{2}};
      Join join{
          .leave = random.below(8) == 0, .ring_seq = random.below(3000), .proc = {}, .fail = {}};
      join.proc = {NodeKey{NodeId{5}, BootId{2}}, me, other};
      if (random.below(4) == 0) join.fail = {join.proc[random.below(3)]};
      CommitToken commit = samples::commit(random);
      if (random.below(2) == 0) {
        commit.members.resize(2);
        commit.members[0].member = NodeKey{NodeId{5}, BootId{2}};
        commit.members[1].member = me;
        commit.members[1].filled = false;
        commit.members[0].filled = true;
        commit.ring = RingId{random.below(4000) + 1, NodeId{5}, BootId{2}};
      }
      switch (random.below(6)) {
        case 0:
          node.receive(join, sender);
          break;
        case 1:
          node.receive(commit, sender);
          break;
        case 2:
          node.receive(Probe{.ring = samples::ring(random), .echo = BootId{1}}, sender);
          break;
        case 3: {
          Token token = samples::token(random);
          token.ring = node.ring().ring();
          node.receive(token, sender);
          break;
        }
        case 4:
          node.receive(samples::data(random, samples::entries(random)), sender);
          break;
        default:
          node.pass(milliseconds{random.below(600)});
      }
      (void)node.sent();
      (void)node.events();
    }
  }
}

TEST_CASE("who left sends nothing more and takes nothing more [MBR-14]") {
  Alone node({self, other.node});
  node.persist();
  (void)node.sent();
  node.input([&] { node.ring().leave(); });
  const auto sent = node.sent();
  REQUIRE_FALSE(sent.empty());
  for (const auto& packet : sent) {
    CHECK(std::get<Join>(packet.body).leave);
  }
  node.receive(Probe{.ring = RingId{3, other.node, other.boot}, .echo = BootId{1}});
  node.submit(BufferRef::copy_of("late"), Service::agreed);
  node.pass(std::chrono::seconds{5});
  CHECK(node.sent().empty());
  CHECK(node.events().size() == 1);  // the first configuration alone
  CHECK(node.ring().phase() == RingPhase::stopped);
}

}  // namespace ringcast
