// SPDX-License-Identifier: Apache-2.0
//
// What a configuration change does to groups: transitional signals, the exchange when daemons
// with another history came in, and the network views once the Directory is whole again.
#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/groups/groups_impl.hpp"

namespace ringcast {

std::vector<Member> members_within(
    std::span<const Member> members, std::span<const NodeKey> companions) {
  std::vector<Member> within;
  for (const auto& member : members) {
    if (contains_node(companions, member.node)) within.push_back(member);
  }
  return within;
}

void Groups::Impl::on_configuration(const ConfigurationChange& change, GroupsOutput& out) {
  RC_ASSERT(std::is_sorted(change.members.begin(), change.members.end()));
  view_number_ = 0;
  if (exchange_) {
    exchange_.reset();  // [GRP-9]
    trace_exchange(TraceLevel::info, "configuration left before all had answered -> starts over");
  }
  switch (change.kind) {
    case ConfigurationChange::Kind::transitional:
      next_ = change.id;
      part_from_all_but(change.members, out);
      return;
    case ConfigurationChange::Kind::regular:
      // The very first one has nothing before it: we come alone. [GRP-6]
      if (!next_) part_from_all_but(std::span{&self_, 1}, out);
      part_from_all_but(change.members, out);
      next_.reset();
      enter_regular(change, out);
      return;
  }
}

// [GRP-6] [GRP-7]
void Groups::Impl::part_from_all_but(std::span<const NodeKey> members, GroupsOutput& out) {
  std::erase_if(companions_, [members](const NodeKey& key) {
    return !std::binary_search(members.begin(), members.end(), key);
  });
  RC_ASSERT(std::binary_search(companions_.begin(), companions_.end(), self_));
  std::vector<std::string> changed;
  for (const auto& [name, group] : directory_.groups()) {
    if (members_within(group.members, companions_).size() < group.members.size()) {
      changed.push_back(name);
    }
  }
  for (const auto& name : changed) {
    directory_.set_changed(name, true);
    signal(name, out);
  }
}

void Groups::Impl::enter_regular(const ConfigurationChange& change, GroupsOutput& out) {
  current_ = change.id;
  members_ = change.members;
  const bool all_along =
      std::includes(companions_.begin(), companions_.end(), members_.begin(), members_.end());
  if (!complete_ || !all_along) {
    start_exchange(out);
    return;
  }
  directory_.prune(members_);
  std::vector<std::string> affected;
  for (const auto& [name, group] : directory_.groups()) {
    if (group.changed) affected.push_back(name);
  }
  complete(affected, members_, out);
}

void Groups::Impl::start_exchange(GroupsOutput& out) {
  complete_ = false;
  exchange_.emplace(current_, members_);
  auto pieces = Exchange::compose(current_, self_.node, directory_, companions_);
  trace_exchange(TraceLevel::debug, "daemons with another history came in -> clients wait");
  for (auto& piece : pieces) {
    out.submissions.push_back({.envelope = std::move(piece), .exchange = true});
  }
}

void Groups::Impl::finish_exchange(GroupsOutput& out) {
  directory_ = exchange_->directory();
  const auto affected = exchange_->affected();
  const auto with_us = exchange_->companions_of(self_.node);
  exchange_.reset();
  trace_exchange(TraceLevel::debug, "every daemon's members are known -> clients go on");
  complete(affected, with_us, out);
}

// [GRP-8]
void Groups::Impl::complete(
    const std::vector<std::string>& affected, std::span<const NodeKey> with_us, GroupsOutput& out) {
  complete_ = true;
  configuration_.id = current_;
  configuration_.daemons.clear();
  for (const auto& member : members_) {
    configuration_.daemons.push_back(member.node);
  }
  std::vector<SessionId> everyone;
  for (const auto& [session, local] : sessions_) {
    if (local.open) everyone.push_back(session);
  }
  out.tell(everyone, configuration_);
  for (const auto& group : affected) {
    network_view(group, with_us, out);
  }
  companions_ = members_;
}

void Groups::Impl::signal(std::string_view group, GroupsOutput& out) {
  std::vector<SessionId> to;
  for (const auto session : open_members(group)) {
    if (sessions_.at(session).signalled.emplace(group).second) to.push_back(session);
  }
  out.tell(to, TransitionalEvent{std::string(group)});
}

void Groups::Impl::network_view(
    const std::string& group, std::span<const NodeKey> with_us, GroupsOutput& out) {
  signal(group, out);  // for those a merge takes by surprise [GRP-7]
  directory_.set_changed(group, false);
  const auto id = next_view_id();
  auto to = open_members(group);
  if (to.empty()) return;
  for (const auto session : to) {
    sessions_.at(session).signalled.erase(group);
  }
  const auto& members = directory_.find(group)->members;
  ViewEvent view{
      .group = group,
      .id = id,
      .cause = Cause::network,
      .who = {},
      .members = members,
      .with_me = members_within(members, with_us)};
  out.tell(to, std::move(view));
}

void Groups::Impl::trace_exchange(TraceLevel level, std::string_view text) {
  if (trace_ == nullptr || !trace_->listens(TraceKind::exchange, level)) return;
  trace_->trace(
      {.kind = TraceKind::exchange,
       .level = level,
       .ring = current_,
       .seq = {},
       .count = directory_.groups().size(),
       .text = std::string(text)});
}

}  // namespace ringcast
