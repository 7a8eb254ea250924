// SPDX-License-Identifier: Apache-2.0
#include "protocol/groups/merge.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

namespace ringcast::test {
namespace {

const RingId ring{.seq = 8, .representative = NodeId{1}, .boot = BootId{1}};
const std::vector<NodeKey> everyone{
    {NodeId{1}, BootId{1}}, {NodeId{2}, BootId{1}}, {NodeId{3}, BootId{1}}};

std::vector<NodeKey> keys(const std::vector<std::uint32_t>& nodes) {
  std::vector<NodeKey> result;
  for (const auto node : nodes) {
    result.push_back({NodeId{node}, BootId{1}});
  }
  return result;
}

Member member(std::uint32_t node, const std::string& name, std::uint64_t session = 1) {
  return {.node = NodeId{node}, .name = name, .session = SessionId{session}};
}

/// Sends a daemon's share through bytes and into the exchange.
bool share(
    Exchange& exchange,
    std::uint32_t node,
    const Directory& directory,
    const std::vector<std::uint32_t>& companions) {
  bool sound = true;
  const auto pieces = Exchange::compose(ring, NodeId{node}, directory, keys(companions));
  for (const auto& piece : pieces) {
    CHECK(piece.size() <= exchange_envelope_bytes_max);
    const auto envelope = decode_envelope(piece.bytes());
    REQUIRE(envelope);
    sound = exchange.accept(NodeId{node}, std::get<ExchangeChunk>(*envelope)) && sound;
  }
  return sound;
}

TEST_CASE("an exchange is complete with the last piece of the last daemon", "[groups]") {
  Exchange exchange(ring, everyone);
  Directory directory;
  directory.add("g", member(1, "a"));
  CHECK(share(exchange, 1, directory, {1}));
  CHECK(share(exchange, 2, directory, {2}));
  CHECK_FALSE(exchange.complete());
  CHECK(share(exchange, 3, directory, {3}));
  CHECK(exchange.complete());
  CHECK(exchange.directory().find("g")->members == std::vector<Member>{member(1, "a")});
}

TEST_CASE("each daemon answers only for its own members", "[groups]") {
  Exchange exchange(ring, everyone);
  Directory stale;
  stale.add("g", member(1, "a"));
  stale.add("g", member(2, "gone"));
  stale.add("ghosts", member(2, "gone"));
  share(exchange, 1, stale, {1});
  share(exchange, 2, Directory{}, {2});
  share(exchange, 3, Directory{}, {3});
  CHECK(exchange.directory().find("g")->members == std::vector<Member>{member(1, "a")});
  CHECK(exchange.directory().find("ghosts") == nullptr);
}

TEST_CASE("a group is affected by a mark or by members of different histories", "[groups]") {
  Exchange exchange(ring, everyone);
  Directory together;
  together.add("merged", member(1, "a"));
  together.add("one_side", member(1, "a"));
  together.add("one_side", member(2, "b"));
  together.add("marked", member(2, "b"));
  together.set_changed("marked", true);
  Directory other;
  other.add("merged", member(3, "c"));
  other.add("theirs", member(3, "c"));
  share(exchange, 1, together, {1, 2});
  share(exchange, 2, together, {1, 2});
  share(exchange, 3, other, {3});
  REQUIRE(exchange.complete());
  CHECK(exchange.affected() == std::vector<std::string>{"marked", "merged"});
  CHECK(exchange.companions_of(NodeId{1}) == keys({1, 2}));
  CHECK(exchange.companions_of(NodeId{2}) == keys({1, 2}));
  CHECK(exchange.companions_of(NodeId{3}) == keys({3}));
}

TEST_CASE("a large share comes in numbered pieces and loses nothing", "[groups]") {
  Directory directory;
  for (int i = 0; i < 5000; ++i) {
    directory.add("big", member(1, "member-" + std::to_string(i), static_cast<std::uint64_t>(i)));
  }
  for (int i = 0; i < 3000; ++i) {
    directory.add("group-" + std::to_string(i), member(1, "x", 9999));
  }
  directory.set_changed("big", true);
  const auto pieces = Exchange::compose(ring, NodeId{1}, directory, keys({1}));
  CHECK(pieces.size() > 2);
  Exchange exchange(ring, keys({1}));
  CHECK(share(exchange, 1, directory, {1}));
  REQUIRE(exchange.complete());
  REQUIRE(exchange.directory().groups().size() == directory.groups().size());
  for (const auto& [name, group] : directory.groups()) {
    CHECK(exchange.directory().find(name)->members == group.members);
  }
  CHECK(exchange.affected() == std::vector<std::string>{"big"});
}

TEST_CASE("pieces out of place are refused", "[groups]") {
  Exchange exchange(ring, everyone);
  ExchangeChunk chunk;
  chunk.configuration = ring;
  chunk.index = 1;
  CHECK_FALSE(exchange.accept(NodeId{1}, chunk));  // the first is missing
  chunk.index = 0;
  chunk.last = true;
  chunk.companions = keys({1});
  CHECK_FALSE(exchange.accept(NodeId{7}, chunk));  // not of this configuration
  CHECK(exchange.accept(NodeId{1}, chunk));
  CHECK_FALSE(exchange.accept(NodeId{1}, chunk));  // already done
}

TEST_CASE("a member told twice counts once", "[groups]") {
  Exchange exchange(ring, keys({1}));
  ExchangeChunk chunk;
  chunk.configuration = ring;
  chunk.last = true;
  chunk.companions = keys({1});
  const ExchangedMember twice{.name = "x", .session = SessionId{1}};
  chunk.groups.push_back({.name = "g", .changed = false, .members = {twice, twice}});
  CHECK_FALSE(exchange.accept(NodeId{1}, chunk));
  CHECK(exchange.complete());
  CHECK(exchange.directory().find("g")->members.size() == 1);
}

}  // namespace
}  // namespace ringcast::test
