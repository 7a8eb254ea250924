// SPDX-License-Identifier: Apache-2.0
#include "protocol/groups/directory.hpp"

#include <catch2/catch.hpp>

namespace ringcast::test {
namespace {

Member member(std::uint32_t node, const std::string& name, std::uint64_t session) {
  return {.node = NodeId{node}, .name = name, .session = SessionId{session}};
}

TEST_CASE("members are ordered by daemon, then name, however they came", "[groups]") {
  Directory directory;
  CHECK(directory.add("g", member(2, "a", 1)));
  CHECK(directory.add("g", member(1, "z", 9)));
  CHECK(directory.add("g", member(1, "b", 10)));
  const std::vector<Member> expected{member(1, "b", 10), member(1, "z", 9), member(2, "a", 1)};
  CHECK(directory.find("g")->members == expected);
  const auto at_one = directory.members_at("g", NodeId{1});
  REQUIRE(at_one.size() == 2);
  CHECK(at_one[0].name == "b");
  CHECK(directory.members_at("g", NodeId{3}).empty());
  CHECK(directory.members_at("h", NodeId{1}).empty());
}

TEST_CASE("a name is a member once, and a session has one name", "[groups]") {
  Directory directory;
  CHECK(directory.add("g", member(1, "a", 1)));
  CHECK_FALSE(directory.add("g", member(1, "a", 1)));
  CHECK_FALSE(directory.add("g", member(1, "a", 2)));
  CHECK_FALSE(directory.add("h", member(1, "b", 1)));
  CHECK(directory.find("h") == nullptr);
  CHECK(directory.add("h", member(1, "a", 2)));
}

TEST_CASE("a group ends with its last member", "[groups]") {
  Directory directory;
  directory.add("g", member(1, "a", 1));
  directory.add("h", member(1, "a", 1));
  CHECK(directory.groups_of(NodeId{1}, SessionId{1}) == std::vector<std::string>{"g", "h"});
  CHECK_FALSE(directory.remove("g", NodeId{2}, SessionId{1}));
  CHECK_FALSE(directory.remove("i", NodeId{1}, SessionId{1}));
  CHECK(directory.remove("g", NodeId{1}, SessionId{1}));
  CHECK_FALSE(directory.remove("g", NodeId{1}, SessionId{1}));
  CHECK(directory.find("g") == nullptr);
  CHECK(directory.name_of(NodeId{1}, SessionId{1}) == "a");
  CHECK(directory.remove("h", NodeId{1}, SessionId{1}));
  CHECK(directory.groups().empty());
  CHECK(directory.name_of(NodeId{1}, SessionId{1}).empty());
}

TEST_CASE("pruning leaves the members of companions and no empty group", "[groups]") {
  Directory directory;
  directory.add("g", member(1, "a", 1));
  directory.add("g", member(2, "b", 1));
  directory.add("h", member(2, "b", 1));
  const std::vector<NodeKey> companions{{NodeId{1}, BootId{5}}};
  directory.prune(companions);
  CHECK(directory.find("g")->members == std::vector<Member>{member(1, "a", 1)});
  CHECK(directory.find("h") == nullptr);
  CHECK(directory.groups_of(NodeId{2}, SessionId{1}).empty());
  CHECK(directory.add("h", member(2, "other", 1)));
}

}  // namespace
}  // namespace ringcast::test
