// SPDX-License-Identifier: Apache-2.0
//
// Cliques: the best set is found against trying all of them, and named alike by all its members.
#include "protocol/ring/clique.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/limits.hpp"
#include "protocol/base/random.hpp"

namespace ringcast {
namespace {

using Links = std::set<std::pair<NodeKey, NodeKey>>;  ///< what is missing, smaller key first

NodeKey key(std::uint32_t node) { return NodeKey{NodeId{node}, BootId{1}}; }

std::vector<NodeKey> keys(std::uint32_t count) {
  std::vector<NodeKey> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    all.push_back(key(i));
  }
  return all;
}

AreLinked all_but(const Links& missing) {
  return [&missing](const NodeKey& a, const NodeKey& b) {
    return !missing.contains({std::min(a, b), std::max(a, b)});
  };
}

/// Every subset with `self`, by trying.
std::vector<NodeKey> by_trying(
    const NodeKey& self, const std::vector<NodeKey>& all, const AreLinked& are_linked) {
  std::vector<NodeKey> best;
  for (std::uint32_t bits = 0; bits < (1U << all.size()); ++bits) {
    std::vector<NodeKey> set;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (((bits >> i) & 1U) != 0) set.push_back(all[i]);
    }
    if (!std::binary_search(set.begin(), set.end(), self)) continue;
    bool whole = true;
    for (const auto& a : set) {
      for (const auto& b : set) {
        whole = whole && (a == b || are_linked(a, b));
      }
    }
    if (whole && (set.size() > best.size() || (set.size() == best.size() && set < best))) {
      best = set;
    }
  }
  return best;
}

}  // namespace

TEST_CASE("with all links everybody is in, with none only oneself") {
  const Links none;
  CHECK(best_clique(key(2), keys(128), all_but(none)) == keys(128));
  CHECK(best_clique(key(2), keys(5), [](const auto&, const auto&) {
          return false;
        }) == std::vector{key(2)});
}

TEST_CASE("of two that miss each other the smaller id stays, unless one of them asks") {
  const Links missing{{key(0), key(1)}};
  CHECK(best_clique(key(2), keys(3), all_but(missing)) == std::vector{key(0), key(2)});
  CHECK(best_clique(key(0), keys(3), all_but(missing)) == std::vector{key(0), key(2)});
  CHECK(best_clique(key(1), keys(3), all_but(missing)) == std::vector{key(1), key(2)});
}

TEST_CASE("the best set is the one that trying all of them finds") {
  Random random(7);
  for (int round = 0; round < 400; ++round) {
    const auto count = static_cast<std::uint32_t>(2 + random.below(8));
    const auto all = keys(count);
    const std::uint64_t share = 1 + random.below(8);
    Links missing;
    for (const auto& a : all) {
      for (const auto& b : all) {
        if (a < b && random.below(10) < share) missing.insert({a, b});
      }
    }
    for (const auto& self : all) {
      REQUIRE(best_clique(self, all, all_but(missing)) == by_trying(self, all, all_but(missing)));
    }
  }
}

TEST_CASE("the members of the best set of all name it alike") {
  Random random(8);
  for (int round = 0; round < 200; ++round) {
    const auto all = keys(7);
    Links missing;
    for (int i = 0; i < 6; ++i) {
      const auto a = key(static_cast<std::uint32_t>(random.below(7)));
      const auto b = key(static_cast<std::uint32_t>(random.below(7)));
      if (a < b) missing.insert({a, b});
    }
    std::vector<NodeKey> best;
    for (const auto& self : all) {
      const auto mine = best_clique(self, all, all_but(missing));
      if (mine.size() > best.size() || (mine.size() == best.size() && mine < best)) best = mine;
    }
    for (const auto& member : best) {
      CHECK(best_clique(member, all, all_but(missing)) == best);
    }
  }
}

TEST_CASE("two racks of many that hear a third and not each other are done with in time") {
  const auto all = keys(static_cast<std::uint32_t>(nodes_max));
  Links missing;
  for (std::uint32_t i = 0; i < 30; ++i) {
    missing.insert({key(2 * i), key(2 * i + 1)});
  }
  for (int again = 0; again < 20; ++again) {
    const auto found = best_clique(all.back(), all, all_but(missing));
    CHECK(found.size() == nodes_max - 30);
  }
}

TEST_CASE("a hundred daemons of which few hear each other are done with in time") {
  Random random(9);
  const auto all = keys(100);
  Links missing;
  for (const auto& a : all) {
    for (const auto& b : all) {
      if (a < b && random.below(2) == 0) missing.insert({a, b});
    }
  }
  const auto linked = all_but(missing);
  const auto found = best_clique(key(50), all, linked);
  CHECK(std::binary_search(found.begin(), found.end(), key(50)));
  for (const auto& a : found) {
    for (const auto& b : found) {
      CHECK((a == b || linked(a, b)));
    }
  }
}

}  // namespace ringcast
