// SPDX-License-Identifier: Apache-2.0
//
// Recovery as one member sees it, step by step: the test plays the representative. What
// several do together is the scripts' and the simulator's.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/ring/ring.hpp"
#include "protocol/ring/token_rules.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/unit/ring/alone.hpp"
#include "tests/unit/ring/lead.hpp"

namespace ringcast {
namespace {

using namespace ring_test;
using std::chrono::milliseconds;

Data recovered(const RingId& ring, std::uint64_t seq, const Data& old) {
  Data data;
  data.ring = ring;
  data.seq = Seq{seq};
  data.originator = lead.node;
  data.recovered = true;
  encode_recovered(data, old.body());
  return data;
}

/// A node and the representative of its next ring.
class Pair {
 public:
  Pair() : node_({lead.node, self}) {
    node_.persist();
    node_.pass(milliseconds{1});
    (void)node_.sent();
    (void)node_.events();
    old_ring_ = node_.ring().ring();
  }

  /// Joins, and the commit token twice: the node is in recovery.
  void to_recovery(std::uint64_t seq, std::uint32_t window_packets = 8192) {
    const CommitToken commit = to_commit(seq, window_packets);
    node_.receive(commit, lead);
    REQUIRE(node_.ring().phase() == RingPhase::recovery);
    (void)node_.sent();
  }

  /// Joins, and the commit token once; what its second visit brings.
  CommitToken to_commit(std::uint64_t seq, std::uint32_t window_packets = 8192) {
    ring_ = RingId{seq, lead.node, lead.boot};
    token_seq_ = 0;
    node_.receive(Join{.leave = false, .ring_seq = seq - 1, .proc = {lead, me}, .fail = {}}, lead);
    REQUIRE(node_.ring().phase() == RingPhase::gather);
    CommitToken commit{.ring = ring_, .hop = 1, .members = {}};
    commit.members.resize(2);
    commit.members[0] = told(lead, RingId{seq - 1, lead.node, lead.boot});
    commit.members[0].window_packets = window_packets;
    commit.members[1].member = me;
    node_.receive(commit, lead);
    REQUIRE(node_.ring().phase() == RingPhase::commit);
    commit = last_sent<CommitToken>();
    CHECK(commit.members[1].filled);
    CHECK(commit.members[1].old_ring == old_ring_);
    ++commit.hop;
    return commit;
  }

  void install() {
    for (int visit = 0; visit < 4; ++visit) {
      (void)pass_token(0, 0);
    }
    REQUIRE(node_.ring().phase() == RingPhase::operational);
  }

  /// The token comes with these; what the node sends on.
  Token pass_token(std::uint64_t seq, std::uint64_t aru, bool retransmitting = false) {
    Token token = resting_token(ring_, token_seq_ += 2, Seq{seq});
    token.aru = Seq{aru};
    if (aru < seq) token.aru_id = lead.node;
    token.retransmitting = retransmitting;
    node_.receive(token, lead);
    return last_sent<Token>();
  }

  template <class Body>
  Body last_sent() {
    std::optional<Body> last;
    for (auto& packet : node_.sent()) {
      if (auto* const body = std::get_if<Body>(&packet.body)) last = std::move(*body);
    }
    REQUIRE(last.has_value());
    return *last;
  }

  Alone& node() { return node_; }
  [[nodiscard]] const RingId& ring() const { return ring_; }
  [[nodiscard]] const RingId& old_ring() const { return old_ring_; }

 private:
  Alone node_;
  RingId ring_;
  RingId old_ring_;
  std::uint64_t token_seq_{0};
};

}  // namespace

TEST_CASE("a node installs when nobody retransmits for three visits, not before [REC-7]") {
  Pair pair;
  pair.to_recovery(100);
  (void)pair.pass_token(0, 0, true);
  for (int visit = 1; visit <= 2; ++visit) {
    (void)pair.pass_token(0, 0);
    CHECK(pair.node().ring().phase() == RingPhase::recovery);
  }
  (void)pair.pass_token(0, 0, true);  // somebody found more: the count starts over
  for (int visit = 1; visit <= 2; ++visit) {
    (void)pair.pass_token(0, 0);
    CHECK(pair.node().ring().phase() == RingPhase::recovery);
  }
  (void)pair.pass_token(0, 0);
  CHECK(pair.node().ring().phase() == RingPhase::operational);
  const auto events = pair.node().events();
  REQUIRE(events.size() == 2);
  const auto& transitional = std::get<ConfigurationChange>(events[0]);
  const auto& regular = std::get<ConfigurationChange>(events[1]);
  CHECK(transitional.kind == ConfigurationChange::Kind::transitional);
  CHECK(transitional.members == std::vector<NodeKey>{me});
  CHECK(transitional.id == pair.ring());
  CHECK(transitional.previous == pair.old_ring());
  CHECK(regular.kind == ConfigurationChange::Kind::regular);
  CHECK(regular.members == std::vector<NodeKey>{lead, me});
  CHECK(regular.previous == pair.old_ring());
}

TEST_CASE("who has not installed keeps the aru at the point of install [REC-5]") {
  Pair pair;
  pair.to_recovery(100);
  (void)pair.pass_token(0, 0);
  (void)pair.pass_token(0, 0);
  pair.node().receive(packet(pair.ring(), 1, "of the new ring"), lead);
  CHECK(pair.node().events().empty());  // [REC-8] kept, not delivered
  const Token sent = pair.pass_token(1, 1);
  CHECK(sent.aru == Seq{0});
  CHECK(sent.aru_id == self);
  CHECK(pair.node().ring().phase() == RingPhase::operational);
  const auto events = pair.node().events();
  REQUIRE(events.size() == 3);
  CHECK(std::get<OrderedMessage>(events[2]).configuration == pair.ring());
  Token back = sent;
  ++back.token_seq;
  pair.node().receive(back, lead);
  CHECK(pair.last_sent<Token>().aru == Seq{1});  // installed: it lowered it, it raises it
}

TEST_CASE("a recovered packet of a ring we were not in is dropped [REC-9]") {
  Pair pair;
  pair.to_recovery(100);
  const RingId foreign{99, lead.node, lead.boot};
  pair.node().receive(recovered(pair.ring(), 1, packet(foreign, 1, "not ours")), lead);
  for (int visit = 0; visit < 4; ++visit) {
    (void)pair.pass_token(1, 1);
  }
  CHECK(pair.node().ring().phase() == RingPhase::operational);
  for (const auto& event : pair.node().events()) {
    CHECK(std::holds_alternative<ConfigurationChange>(event));
  }
}

TEST_CASE("what an aborted attempt brought of the old ring counts in the next") {
  Pair pair;
  pair.to_recovery(100);
  const Data lost = packet(pair.old_ring(), 1, "of the old ring", Service::agreed, self);
  pair.node().receive(recovered(pair.ring(), 1, lost), lead);
  pair.node().receive(packet(pair.ring(), 2, "of the aborted ring"), lead);
  (void)pair.pass_token(2, 2);
  pair.node().pass(milliseconds{400});  // the token is lost
  CHECK(pair.node().ring().phase() == RingPhase::gather);
  CHECK(pair.node().ring().ring() == pair.old_ring());
  CHECK(pair.node().events().empty());
  pair.to_recovery(200);
  for (int visit = 0; visit < 4; ++visit) {
    (void)pair.pass_token(0, 0);
  }
  const auto events = pair.node().events();
  REQUIRE(events.size() == 3);
  CHECK(std::get<OrderedMessage>(events[0]).configuration == pair.old_ring());
  CHECK(std::get<ConfigurationChange>(events[1]).previous == pair.old_ring());
  CHECK(std::get<ConfigurationChange>(events[2]).id == pair.ring());
}

TEST_CASE("packets of the old ring are taken through recovery only, once told [REC-1]") {
  Pair pair;
  pair.to_recovery(100);
  pair.node().receive(packet(pair.old_ring(), 1, "late", Service::agreed, self), lead);
  for (int visit = 0; visit < 4; ++visit) {
    (void)pair.pass_token(0, 0);
  }
  CHECK(pair.node().events().size() == 2);
}

TEST_CASE("a recovered packet that comes once the ring is installed is dropped [REC-7]") {
  Pair pair;
  pair.to_recovery(100);
  pair.install();
  const RingId foreign{99, lead.node, lead.boot};
  const auto before = pair.node().ring().counters().packets_foreign;
  pair.node().receive(recovered(pair.ring(), 1, packet(foreign, 1, "too late")), lead);
  CHECK(pair.node().ring().counters().packets_foreign == before + 1);
  // Its number is free: the packet that has it by right is taken.
  (void)pair.node().events();
  pair.node().receive(packet(pair.ring(), 1, "in time"), lead);
  CHECK(pair.node().events().size() == 1);
}

TEST_CASE("packets in the name of who is no member are dropped, in recovery too [ORD-1]") {
  constexpr NodeId stranger{77};
  Pair pair;
  pair.to_recovery(100);
  const auto ghost = packet(pair.old_ring(), 1, "ghost", Service::agreed, stranger);
  pair.node().receive(recovered(pair.ring(), 1, ghost), lead);
  for (int visit = 0; visit < 4; ++visit) {
    (void)pair.pass_token(1, 1);
  }
  REQUIRE(pair.node().ring().phase() == RingPhase::operational);
  CHECK(pair.node().events().size() == 2);  // the two configurations
  pair.node().receive(packet(pair.ring(), 2, "ghost", Service::agreed, stranger), lead);
  CHECK(pair.node().events().empty());
}

TEST_CASE("a copy of the token changes nothing and lengthens no timer [ORD-2]") {
  Pair pair;
  pair.to_recovery(100);
  Token token = resting_token(pair.ring(), 2, Seq{});
  pair.node().receive(token, lead);
  for (int i = 0; i < 39; ++i) {
    pair.node().pass(milliseconds{10});
    pair.node().receive(token, lead);
    REQUIRE(pair.node().ring().phase() == RingPhase::recovery);
  }
  pair.node().pass(milliseconds{10});
  CHECK(pair.node().ring().phase() == RingPhase::gather);
  CHECK(pair.node().ring().counters().tokens_duplicate == 39);
}

TEST_CASE("a commit token that no longer says what we wrote is not taken [REC-2]") {
  Pair pair;
  const CommitToken commit = pair.to_commit(100);
  CommitToken altered = commit;
  altered.members[1].old_ring.seq += 1;
  pair.node().receive(altered, lead);
  CHECK(pair.node().ring().phase() == RingPhase::commit);
  altered = commit;
  altered.members.pop_back();
  pair.node().receive(altered, lead);
  CHECK(pair.node().ring().phase() == RingPhase::commit);
  pair.node().receive(commit, lead);
  CHECK(pair.node().ring().phase() == RingPhase::recovery);
}

TEST_CASE("a ring's window is the least of its members' [REC-2] [FLW-2]") {
  Pair pair;
  pair.to_recovery(100, 16);
  pair.install();
  pair.node().receive(packet(pair.ring(), 17, "too far"), lead);
  CHECK(pair.node().ring().counters().packets_outside == 1);
  pair.node().receive(packet(pair.ring(), 16, "the last that fits"), lead);
  CHECK(pair.node().ring().counters().packets_outside == 1);
}

TEST_CASE("a late join of a dead run does not disturb the run that works [MBR-8]") {
  constexpr NodeKey dead{lead.node, BootId{6}};
  Pair pair;
  pair.node().receive(Join{.leave = false, .ring_seq = 90, .proc = {dead, me}, .fail = {}}, dead);
  pair.to_recovery(100);
  pair.install();
  for (int i = 0; i < 30; ++i) {  // three seconds in which the live run sends tokens only
    pair.node().pass(milliseconds{100});
    (void)pair.pass_token(0, 0);
  }
  pair.node().receive(Join{.leave = false, .ring_seq = 100, .proc = {dead, me}, .fail = {}}, dead);
  CHECK(pair.node().ring().phase() == RingPhase::operational);
  pair.node().receive(Probe{RingId{90, lead.node, BootId{6}}, me.boot}, dead);
  CHECK(pair.node().ring().phase() == RingPhase::operational);
}

TEST_CASE("a member that went back to gather ends the attempt at once") {
  Pair pair;
  pair.to_recovery(100);
  const Join older{.leave = false, .ring_seq = 99, .proc = {lead, me}, .fail = {}};
  pair.node().receive(older, lead);
  CHECK(pair.node().ring().phase() == RingPhase::recovery);  // a straggler
  Join newer = older;
  newer.ring_seq = 100;
  pair.node().receive(newer, lead);
  CHECK(pair.node().ring().phase() == RingPhase::gather);
}

TEST_CASE("a member that receives nothing in recovery is failed by the others [MBR-10]") {
  Pair pair;
  pair.to_recovery(100);
  pair.node().receive(packet(pair.ring(), 1, "never held by the other"), lead);
  int visits = 0;
  while (pair.node().ring().phase() == RingPhase::recovery && visits < 100) {
    ++visits;
    (void)pair.pass_token(1, 0);
    pair.node().pass(milliseconds{50});
  }
  CHECK(pair.node().ring().phase() != RingPhase::recovery);
  CHECK(visits >= 40);
  CHECK(visits <= 45);
}

}  // namespace ringcast
