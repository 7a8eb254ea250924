// SPDX-License-Identifier: Apache-2.0
//
// Identities: an id depends on the name alone, and ring ids compare by their number first.
#include "protocol/base/ids.hpp"

#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace ringcast {

TEST_CASE("a node id depends on the name and nothing else") {
  CHECK(node_id("a") == node_id("a"));
  std::set<NodeId> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(node_id("daemon" + std::to_string(i)));
  }
  CHECK(ids.size() == 1000);
}

TEST_CASE("a newer ring compares greater whoever formed it") {
  const RingId older{.seq = 7, .representative = NodeId{9}, .boot = BootId{9}};
  const RingId newer{.seq = 8, .representative = NodeId{1}, .boot = BootId{1}};
  CHECK(older < newer);
  CHECK(RingId{} < older);
}

TEST_CASE("two runs of one daemon are two members, in order of their node first") {
  const NodeKey first{NodeId{1}, BootId{0xffffffff}};
  const NodeKey other_run{NodeId{1}, BootId{2}};
  const NodeKey other_node{NodeId{2}, BootId{0}};
  CHECK(first != other_run);
  CHECK(first < other_node);
  CHECK(other_run < first);
}

TEST_CASE("ids are shown in hex and rings by their number") {
  CHECK(to_string(NodeId{0xab}) == "000000ab");
  CHECK(to_string(NodeKey{NodeId{1}, BootId{2}}) == "00000001/00000002");
  CHECK(
      to_string(RingId{.seq = 12, .representative = NodeId{1}, .boot = BootId{2}}) ==
      "12.00000001.00000002");
}

TEST_CASE("next and prev of a seq are inverse") { CHECK(next(Seq{0}) == Seq{1}); }

}  // namespace ringcast
