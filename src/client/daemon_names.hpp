// SPDX-License-Identifier: Apache-2.0
//
// DaemonNames: the table of Welcome, and with it the way from frames, where daemons are
// numbers, to events, where they have names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ringcast/client.hpp"

#include "protocol/base/client_events.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast {

class DaemonNames {
 public:
  void replace(DaemonTable table);

  /// Its name; eight hex digits when the table does not have it.
  [[nodiscard]] std::string name(NodeId node) const;
  /// The same; digits go to `space`.
  [[nodiscard]] std::string_view view(NodeId node, std::string& space) const;
  [[nodiscard]] ConfigurationId configuration_id(const RingId& id) const;

  /// Written where it is to be: a message is the one event that comes by the million.
  void fill(Message& message, const MessageFrame& frame) const;
  [[nodiscard]] View view(ViewEvent event) const;
  [[nodiscard]] Configuration configuration(const ConfigurationEvent& event) const;
  [[nodiscard]] Confirmation confirmation(const ConfirmEvent& event) const;
  [[nodiscard]] std::vector<GroupInfo> groups(GroupList list) const;

 private:
  void put(std::string& name, NodeId node) const;
  [[nodiscard]] std::vector<MemberName> members(std::vector<Member> members) const;

  DaemonTable table_;  ///< by NodeId
};

}  // namespace ringcast
