// SPDX-License-Identifier: Apache-2.0
//
// What a node owes once it told the others that it has everything: they may have installed and
// relied on it, so it delivers what they deliver, whatever becomes of the attempt. The story is
// figure 4.16 of Agarwal's thesis, seen by one of those who did not install.
#include <chrono>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/ring/ring.hpp"
#include "protocol/ring/token_rules.hpp"
#include "tests/unit/ring/alone.hpp"
#include "tests/unit/ring/lead.hpp"

namespace ringcast {
namespace {

using namespace ring_test;
using std::chrono::milliseconds;

constexpr RingId three{100, lead.node, lead.boot};  ///< of lead, me and other
constexpr RingId two{200, lead.node, lead.boot};    ///< the attempt without other

/// The node under test and what lead sends it.
class Story {
 public:
  Story() : node_({lead.node, self, other.node}) { node_.persist(); }

  Alone& node() { return node_; }
  [[nodiscard]] RingPhase phase() { return node_.ring().phase(); }

  /// All of `proc` but `fail` agree, and the commit token of `ring` goes round twice.
  void commit(const RingId& ring, const std::vector<CommitEntry>& entries, const Join& join) {
    node_.receive(join, lead);
    for (const auto& entry : entries) {
      if (entry.member == other) node_.receive(join, other);
    }
    (void)node_.sent();
    CommitToken commit{.ring = ring, .hop = 1, .members = entries};
    commit.members[1] = CommitEntry{};
    commit.members[1].member = me;
    for (std::size_t i = 2; i < entries.size(); ++i) {
      commit.members[i] = CommitEntry{};
      commit.members[i].member = entries[i].member;
    }
    node_.receive(commit, lead);
    REQUIRE(phase() == RingPhase::commit);
    for (const auto& sent : node_.sent()) {
      if (const auto* const passed = std::get_if<CommitToken>(&sent.body)) {
        commit.members[1] = passed->members[1];
      }
    }
    for (std::size_t i = 2; i < entries.size(); ++i) {
      commit.members[i] = entries[i];
    }
    commit.hop = entries.size() + 1;
    node_.receive(commit, lead);
    REQUIRE(phase() == RingPhase::recovery);
    ring_ = ring;
  }

  void pass_token(std::uint64_t seq) {
    node_.receive(resting_token(ring_, token_seq_ += 2, Seq{seq}), lead);
  }

 private:
  Alone node_;
  RingId ring_;
  std::uint64_t token_seq_{0};
};

/// In a ring of three; packet 2 of lead is here, packet 1 was lost.
void form_three_and_lose_one(Story& story) {
  const Join all{.leave = false, .ring_seq = 99, .proc = {lead, me, other}, .fail = {}};
  story.node().pass(milliseconds{1});
  story.commit(
      three,
      {told(lead, RingId{98, lead.node, lead.boot}),
       told(me, {}),
       told(other, RingId{97, other.node, other.boot})},
      all);
  for (int visit = 0; visit < 4; ++visit) {
    story.pass_token(0);
  }
  REQUIRE(story.phase() == RingPhase::operational);
  story.node().receive(packet(three, 2, "behind a gap", Service::safe), lead);
  (void)story.node().events();
}

/// Then other is gone, and the two that are left begin to recover.
void recover_without_other(Story& story) {
  const Join without{.leave = false, .ring_seq = 199, .proc = {lead, me, other}, .fail = {other}};
  story.commit(two, {told(lead, three), told(me, {})}, without);
}

/// Lead falls silent too: this node goes on alone. True when the safe message of lead came out.
bool delivers_alone(Story& story) {
  story.node().pass(milliseconds{2000});
  REQUIRE(story.phase() == RingPhase::operational);
  bool delivered = false;
  for (const auto& event : story.node().events()) {
    if (const auto* const message = std::get_if<OrderedMessage>(&event)) {
      CHECK(message->transitional);
      CHECK(message->configuration == three);
      delivered = true;
    }
  }
  return delivered;
}

}  // namespace

TEST_CASE("an obligation outlives the attempt in which it was taken [REC-6]") {
  Story story;
  form_three_and_lose_one(story);
  recover_without_other(story);
  story.pass_token(0);  // it offers packet 2 as packet 1 of the new ring
  story.pass_token(1);  // seen clear twice and everything held: lead may install and deliver
  CHECK(delivers_alone(story));
}

TEST_CASE("who never said that it has everything owes nothing [DLV-4]") {
  Story story;
  form_three_and_lose_one(story);
  recover_without_other(story);
  story.pass_token(0);
  CHECK_FALSE(delivers_alone(story));
}

}  // namespace ringcast
