// SPDX-License-Identifier: Apache-2.0
//
// Directory: group name -> members, the state that all daemons of a configuration share.
// Changed only by ordered events, so that equal histories give equal directories. [GRP-1]
//
// Knows nothing of local sessions being open, of views or of bytes. A member is one session
// of one daemon; a group without members does not exist.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/client_events.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {

class Directory {
 public:
  struct Group {
    std::vector<Member> members;  ///< ascending: by daemon, then name
    bool changed{false};          ///< lost a member since its last network view: owes one [GRP-8]
  };
  using Map = std::map<std::string, Group, std::less<>>;

  /// False, and nothing changes, when that session or another of its full name is a member, or
  /// the session is known under another name.
  bool add(std::string_view group, const Member& member);
  /// False when it is not a member.
  bool remove(std::string_view group, NodeId node, SessionId session);
  /// Removes every member whose daemon is not in `companions` (ascending).
  void prune(std::span<const NodeKey> companions);

  [[nodiscard]] const Map& groups() const { return groups_; }
  [[nodiscard]] const Group* find(std::string_view group) const;
  /// The members of that daemon; empty when there is no such group.
  [[nodiscard]] std::span<const Member> members_at(std::string_view group, NodeId node) const;
  /// Groups the session is a member of, in name order.
  [[nodiscard]] std::vector<std::string> groups_of(NodeId node, SessionId session) const;
  /// Its private name; empty when it is a member of nothing.
  [[nodiscard]] std::string name_of(NodeId node, SessionId session) const;

  void set_changed(std::string_view group, bool changed);

 private:
  struct Presence {
    std::string name;
    std::set<std::string> groups;
  };

  Map groups_;
  std::map<std::pair<NodeId, SessionId>, Presence> presences_;
};

/// True when `node` is one of `companions` (ascending).
bool contains_node(std::span<const NodeKey> companions, NodeId node);

}  // namespace ringcast
