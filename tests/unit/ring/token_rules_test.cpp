// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of a visit on a small simulated ring that loses packets: the safe line never
// passes what anybody has, never goes back, and in the end reaches everything.
#include "protocol/ring/token_rules.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/random.hpp"

namespace ringcast {
namespace {

constexpr RingId test_ring{.seq = 1, .representative = NodeId{1}, .boot = BootId{1}};

Data packet(Seq seq) {
  Data data;
  data.ring = test_ring;
  data.seq = seq;
  return data;
}

struct Member {
  NodeId id;
  Window window{test_ring, 8192};
  Seq sent_aru;
  Seq sent_seq;
  Seq safe_line;
};

/// Members that pass a token and lose `loss` percent of everything else.
class Ringlet {
 public:
  Ringlet(std::size_t size, std::uint64_t seed) : random_(seed) {
    for (std::uint32_t i = 1; i <= size; ++i) {
      members_.emplace_back();
      members_.back().id = NodeId{i};
    }
  }

  void rotate(std::uint64_t originate_most, std::uint64_t loss) {
    for (auto& member : members_) {
      visit(member, random_.below(originate_most + 1), loss);
    }
  }

  [[nodiscard]] const Token& token() const { return token_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }

 private:
  void visit(Member& member, std::uint64_t originate, std::uint64_t loss) {
    answer(member, loss);
    for (std::uint64_t i = 0; i < originate; ++i) {
      token_.seq = next(token_.seq);
      (void)member.window.insert(packet(token_.seq));
      multicast(member, token_.seq, loss);
    }
    update_aru(token_, std::min(member.window.aru(), token_.seq), member.id);
    add_requests(token_.rtr, member.window, member.sent_seq);
    check_requests(member);
    advance(member);
  }

  void multicast(const Member& from, Seq seq, std::uint64_t loss) {
    for (auto& to : members_) {
      if (to.id != from.id && random_.below(100) >= loss) (void)to.window.insert(packet(seq));
    }
  }

  void answer(Member& member, std::uint64_t loss) {
    std::vector<SeqRange> open;
    for (const auto& range : token_.rtr) {
      for (std::uint64_t i = 0; i < range.count; ++i) {
        const Seq seq{range.first.value + i};
        if (member.window.find(seq) == nullptr) {
          append_seq(open, seq);
        } else {
          multicast(member, seq, loss);
        }
      }
    }
    token_.rtr.swap(open);
  }

  void check_requests(const Member& member) const {
    REQUIRE(token_.rtr.size() <= retransmit_ranges_max);
    Seq end;
    for (const auto& range : token_.rtr) {
      REQUIRE(range.first > end);  // ascending, and touching ones are one
      REQUIRE(range.count > 0);
      end = Seq{range.first.value + range.count};
      REQUIRE(end.value - 1 <= token_.seq.value);
    }
    // [ORD-5] Every hole of ours is named, as far as we may name it and there is room.
    std::vector<SeqRange> holes;
    member.window.append_holes(member.sent_seq, retransmit_ranges_max, holes);
    if (token_.rtr.size() == retransmit_ranges_max) return;
    for (const auto& hole : holes) {
      REQUIRE(std::any_of(token_.rtr.begin(), token_.rtr.end(), [&](const SeqRange& range) {
        return range.first <= hole.first &&
               range.first.value + range.count >= hole.first.value + hole.count;
      }));
    }
  }

  void advance(Member& member) {
    const Seq safe = std::min(member.sent_aru, token_.aru);
    REQUIRE(token_.aru <= token_.seq);
    for (const auto& other : members_) {
      REQUIRE(safe <= other.window.aru());
    }
    REQUIRE(safe >= member.safe_line);
    member.safe_line = safe;
    member.sent_aru = token_.aru;
    member.sent_seq = token_.seq;
  }

  Random random_;
  std::vector<Member> members_;
  Token token_{resting_token(test_ring, 1, Seq{})};
};

}  // namespace

TEST_CASE("a request is found in the ranges that name it, and in no others") {
  const std::vector<SeqRange> ranges{{Seq{3}, 2}, {Seq{7}, 1}, {Seq{20}, 5}};
  const std::set<std::uint64_t> named{3, 4, 7, 20, 21, 22, 23, 24};
  for (std::uint64_t seq = 1; seq < 30; ++seq) {
    CHECK(contains(ranges, Seq{seq}) == named.contains(seq));
  }
  CHECK_FALSE(contains({}, Seq{1}));
}

TEST_CASE("the safe line never passes what any member has, and reaches all when loss ends") {
  for (const std::size_t size : {1U, 2U, 3U, 5U, 9U}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(size, seed);
      Ringlet ring(size, seed);
      for (int i = 0; i < 40; ++i) {
        ring.rotate(6, seed * 2);
      }
      for (int i = 0; i < 12; ++i) {
        ring.rotate(0, 0);
      }
      for (const auto& member : ring.members()) {
        REQUIRE(member.window.aru() == ring.token().seq);
        REQUIRE(member.safe_line == ring.token().seq);
      }
      REQUIRE_FALSE(ring.token().aru_id.has_value());
      REQUIRE(ring.token().rtr.empty());
    }
  }
}

TEST_CASE("only who lowered the aru raises it [ORD-3]") {
  Token token = resting_token(test_ring, 1, Seq{10});
  update_aru(token, Seq{4}, NodeId{1});
  CHECK(token.aru == Seq{4});
  CHECK(token.aru_id == NodeId{1});
  update_aru(token, Seq{10}, NodeId{2});
  CHECK(token.aru == Seq{4});
  update_aru(token, Seq{3}, NodeId{3});
  CHECK(token.aru == Seq{3});
  CHECK(token.aru_id == NodeId{3});
  update_aru(token, Seq{9}, NodeId{1});
  CHECK(token.aru == Seq{3});
  update_aru(token, Seq{9}, NodeId{3});
  CHECK(token.aru == Seq{9});
  CHECK(token.aru_id == NodeId{3});
  update_aru(token, Seq{10}, NodeId{3});
  CHECK(token.aru == Seq{10});
  CHECK_FALSE(token.aru_id.has_value());
}

TEST_CASE("nothing above the bound is requested [ORD-5]") {
  Window window(test_ring, 100);
  (void)window.insert(packet(Seq{5}));
  (void)window.insert(packet(Seq{9}));
  std::vector<SeqRange> requests;
  add_requests(requests, window, Seq{0});
  CHECK(requests.empty());
  add_requests(requests, window, Seq{7});
  REQUIRE(requests.size() == 2);
  CHECK(requests[0] == SeqRange{.first = Seq{1}, .count = 4});
  CHECK(requests[1] == SeqRange{.first = Seq{6}, .count = 2});
  CHECK(count(requests) == 6);
}

TEST_CASE("what is safe is asked for no more") {
  const std::vector<SeqRange> asked{{.first = Seq{3}, .count = 4}, {.first = Seq{9}, .count = 1}};
  const auto left = [&](std::uint64_t safe) {
    auto requests = asked;
    drop_requests(requests, Seq{safe});
    return requests;
  };
  CHECK(left(2) == asked);
  CHECK(left(4) == std::vector<SeqRange>{{.first = Seq{5}, .count = 2}, asked[1]});
  CHECK(left(6) == std::vector<SeqRange>{asked[1]});
  CHECK(left(8) == std::vector<SeqRange>{asked[1]});
  CHECK(left(9).empty());
}

TEST_CASE("requests of several members are united, not repeated") {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<SeqRange> requests;
    std::set<std::uint64_t> expected;
    for (int member = 0; member < 4; ++member) {
      Window window(test_ring, 500);
      for (std::uint64_t seq = 1; seq <= 120; ++seq) {
        if (random.below(3) != 0) (void)window.insert(packet(Seq{seq}));
      }
      for (std::uint64_t seq = 1; seq <= 100; ++seq) {
        if (window.find(Seq{seq}) == nullptr) expected.insert(seq);
      }
      add_requests(requests, window, Seq{100});
    }
    std::set<std::uint64_t> named;
    for (const auto& range : requests) {
      for (std::uint64_t i = 0; i < range.count; ++i) {
        REQUIRE(named.insert(range.first.value + i).second);
      }
    }
    REQUIRE(named == expected);
    REQUIRE(count(requests) == expected.size());
  }
}

TEST_CASE("more holes than a token has room for are asked for from the lowest on") {
  Window window(test_ring, 8192);
  for (std::uint64_t seq = 2; seq <= 2000; seq += 2) {
    (void)window.insert(packet(Seq{seq}));
  }
  std::vector<SeqRange> requests;
  add_requests(requests, window, Seq{2000});
  REQUIRE(requests.size() == retransmit_ranges_max);
  CHECK(requests.front().first == Seq{1});
  CHECK(requests.back().first == Seq{2 * retransmit_ranges_max - 1});
}

}  // namespace ringcast
