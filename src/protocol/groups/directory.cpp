// SPDX-License-Identifier: Apache-2.0
#include "protocol/groups/directory.hpp"

#include <algorithm>
#include <tuple>

#include "protocol/base/assert.hpp"

namespace ringcast {

bool Directory::add(std::string_view group, const Member& member) {
  const auto key = std::pair{member.node, member.session};
  const auto known = presences_.find(key);
  if (known != presences_.end() && known->second.name != member.name) return false;

  auto at = groups_.find(group);
  if (at == groups_.end()) at = groups_.emplace(std::string(group), Group{}).first;
  auto& members = at->second.members;
  const auto place = std::lower_bound(
      members.begin(), members.end(), member, [](const Member& left, const Member& right) {
        return std::tie(left.node, left.name) < std::tie(right.node, right.name);
      });
  const bool taken =
      place != members.end() && place->node == member.node && place->name == member.name;
  if (taken) return false;
  members.insert(place, member);

  auto& presence = presences_[key];
  presence.name = member.name;
  presence.groups.insert(std::string(group));
  return true;
}

bool Directory::remove(std::string_view group, NodeId node, SessionId session) {
  const auto presence = presences_.find(std::pair{node, session});
  if (presence == presences_.end()) return false;
  auto& joined = presence->second.groups;
  if (joined.erase(std::string(group)) == 0) return false;
  if (joined.empty()) presences_.erase(presence);

  const auto at = groups_.find(group);
  RC_ASSERT(at != groups_.end());
  auto& members = at->second.members;
  const auto removed = std::erase_if(members, [node, session](const Member& member) {
    return member.node == node && member.session == session;
  });
  RC_ASSERT(removed == 1);
  if (members.empty()) groups_.erase(at);
  return true;
}

void Directory::prune(std::span<const NodeKey> companions) {
  const auto departed = [companions](NodeId node) { return !contains_node(companions, node); };
  std::erase_if(presences_, [&departed](const auto& entry) { return departed(entry.first.first); });
  for (auto& [name, group] : groups_) {
    std::erase_if(group.members, [&departed](const Member& m) { return departed(m.node); });
  }
  std::erase_if(groups_, [](const auto& entry) { return entry.second.members.empty(); });
}

const Directory::Group* Directory::find(std::string_view group) const {
  const auto at = groups_.find(group);
  return at == groups_.end() ? nullptr : &at->second;
}

std::span<const Member> Directory::members_at(std::string_view group, NodeId node) const {
  const auto* const found = find(group);
  if (found == nullptr) return {};
  const auto& members = found->members;
  const auto first = std::partition_point(
      members.begin(), members.end(), [node](const Member& m) { return m.node < node; });
  const auto last = std::partition_point(
      first, members.end(), [node](const Member& m) { return m.node == node; });
  return {first, last};
}

std::vector<std::string> Directory::groups_of(NodeId node, SessionId session) const {
  const auto presence = presences_.find(std::pair{node, session});
  if (presence == presences_.end()) return {};
  return {presence->second.groups.begin(), presence->second.groups.end()};
}

std::string Directory::name_of(NodeId node, SessionId session) const {
  const auto presence = presences_.find(std::pair{node, session});
  return presence == presences_.end() ? std::string{} : presence->second.name;
}

void Directory::set_changed(std::string_view group, bool changed) {
  const auto at = groups_.find(group);
  RC_ASSERT(at != groups_.end());
  at->second.changed = changed;
}

bool contains_node(std::span<const NodeKey> companions, NodeId node) {
  const auto at = std::lower_bound(
      companions.begin(), companions.end(), node, [](const NodeKey& key, NodeId wanted) {
        return key.node < wanted;
      });
  return at != companions.end() && at->node == node;
}

}  // namespace ringcast
