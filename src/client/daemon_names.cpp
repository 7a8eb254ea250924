// SPDX-License-Identifier: Apache-2.0
#include "client/daemon_names.hpp"

#include <algorithm>
#include <utility>

namespace ringcast {

void DaemonNames::replace(DaemonTable table) {
  table_ = std::move(table);
  std::sort(table_.begin(), table_.end());
}

std::string_view DaemonNames::view(NodeId node, std::string& space) const {
  const auto found =
      std::lower_bound(table_.begin(), table_.end(), node, [](const auto& entry, NodeId id) {
        return entry.first < id;
      });
  if (found != table_.end() && found->first == node) return found->second;
  space = to_string(node);
  return space;
}

void DaemonNames::put(std::string& name, NodeId node) const {
  const auto found = view(node, name);
  if (found.data() != name.data()) name = found;
}

std::string DaemonNames::name(NodeId node) const {
  std::string name;
  put(name, node);
  return name;
}

ConfigurationId DaemonNames::configuration_id(const RingId& id) const {
  return ConfigurationId{
      .seq = id.seq, .representative = name(id.representative), .boot = id.boot.value};
}

void DaemonNames::fill(Message& message, const MessageFrame& frame) const {
  const auto& event = frame.event;
  auto& configuration = message.position.configuration;
  configuration.seq = event.configuration.seq;
  put(configuration.representative, event.configuration.representative);
  configuration.boot = event.configuration.boot.value;
  message.position.seq = event.seq.value;
  message.position.index = event.index;
  message.sender.session = event.sender_name;
  put(message.sender.daemon, event.sender_node);
  message.groups.assign(event.groups.begin(), event.groups.end());
  message.service = event.service;
  message.type = event.type;
  message.transitional = event.transitional;
  message.payload.assign(frame.payload.begin(), frame.payload.end());
}

View DaemonNames::view(ViewEvent event) const {
  std::string id = to_string(configuration_id(event.id.configuration));
  if (event.id.next) id.append("~").append(to_string(configuration_id(*event.id.next)));
  id.append("/").append(std::to_string(event.id.number));
  return View{
      .group = std::move(event.group),
      .id = std::move(id),
      .cause = event.cause,
      .who = members(std::move(event.who)),
      .members = members(std::move(event.members)),
      .with_me = members(std::move(event.with_me))};
}

Configuration DaemonNames::configuration(const ConfigurationEvent& event) const {
  Configuration configuration;
  configuration.id = configuration_id(event.id);
  for (const auto node : event.daemons) {
    configuration.daemons.push_back(name(node));
  }
  for (const auto& entry : table_) {
    configuration.configured.push_back(entry.second);
  }
  std::sort(configuration.configured.begin(), configuration.configured.end());
  return configuration;
}

Confirmation DaemonNames::confirmation(const ConfirmEvent& event) const {
  return Confirmation{
      .ticket = event.ticket,
      .position =
          Position{
              .configuration = configuration_id(event.configuration),
              .seq = event.seq.value,
              .index = event.index},
      .stable = event.stable,
      .transitional = event.transitional};
}

std::vector<GroupInfo> DaemonNames::groups(GroupList list) const {
  std::vector<GroupInfo> groups;
  groups.reserve(list.size());
  for (auto& entry : list) {
    groups.push_back(
        GroupInfo{.group = std::move(entry.first), .members = members(std::move(entry.second))});
  }
  return groups;
}

std::vector<MemberName> DaemonNames::members(std::vector<Member> members) const {
  std::vector<MemberName> names;
  names.reserve(members.size());
  for (auto& member : members) {
    names.push_back(MemberName{.session = std::move(member.name), .daemon = name(member.node)});
  }
  return names;
}

}  // namespace ringcast
