// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/reachability.hpp"

#include <chrono>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

using std::chrono::seconds;

constexpr NodeKey one{NodeId{1}, BootId{100}};
constexpr NodeKey one_again{NodeId{1}, BootId{101}};
constexpr NodeKey two{NodeId{2}, BootId{200}};
constexpr Instant start{seconds{1000}};

}  // namespace

TEST_CASE("a daemon that was never heard is not heard") {
  const Reachability reach;
  CHECK_FALSE(reach.hears(one, Instant{}));
  CHECK_FALSE(reach.is_mutual(one, Instant{}));
  CHECK_FALSE(reach.are_mutual(one, two, Instant{}));
}

TEST_CASE("what was heard is true for as long as the question says") {
  Reachability reach;
  reach.heard(one, false, start);
  CHECK(reach.hears(one, start));
  CHECK_FALSE(reach.hears(one, start + seconds{1}));
  CHECK_FALSE(reach.is_mutual(one, start));
  reach.heard(one, true, start + seconds{1});
  CHECK(reach.is_mutual(one, start + seconds{1}));
  reach.heard(one, false, start + seconds{5});
  CHECK(reach.hears(one, start + seconds{5}));
  CHECK_FALSE(reach.is_mutual(one, start + seconds{2}));  // it said so too long ago
}

TEST_CASE("two others hear each other when both say so") {
  Reachability reach;
  reach.heard(one, true, start);
  reach.told(one, {two}, 7, start);
  CHECK_FALSE(reach.are_mutual(one, two, start));
  reach.heard(two, true, start);
  reach.told(two, {one}, 8, start + seconds{1});
  CHECK(reach.are_mutual(one, two, start));
  CHECK(reach.are_mutual(two, one, start));
  CHECK_FALSE(reach.are_mutual(one, two, start + seconds{1}));  // one's word is older
  reach.told(one, {}, 9, start + seconds{1});
  CHECK(reach.ring_seq_of(one) == 9);
  CHECK(reach.ring_seq_of(two) == 8);
  CHECK_FALSE(reach.are_mutual(one, two, start));
}

TEST_CASE("a daemon's last probe tells its links") {
  Reachability reach;
  reach.told_links(one, {NodeId{2}, NodeId{5}}, start);
  CHECK(reach.tells_link(one, NodeId{5}, start));
  CHECK_FALSE(reach.tells_link(one, NodeId{3}, start));
  CHECK_FALSE(reach.tells_link(one, NodeId{5}, start + seconds{1}));
  CHECK_FALSE(reach.tells_link(one_again, NodeId{5}, start));
  CHECK_FALSE(reach.tells_link(two, NodeId{1}, start));
  reach.told_links(one, {NodeId{3}}, start);
  CHECK_FALSE(reach.tells_link(one, NodeId{5}, start));
}

TEST_CASE("another run of a daemon starts without what was known of the one before") {
  Reachability reach;
  reach.heard(one, true, start);
  reach.told(one, {two}, 7, start);
  reach.heard(one_again, false, start);
  CHECK(reach.hears(one_again, start));
  CHECK_FALSE(reach.is_mutual(one_again, start));
  CHECK_FALSE(reach.hears(one, start));
  CHECK(reach.ring_seq_of(one) == 0);
  CHECK(reach.ring_seq_of(one_again) == 0);
  reach.keep_only({NodeId{2}});
  CHECK_FALSE(reach.hears(one_again, start));
}

}  // namespace ringcast
