// SPDX-License-Identifier: Apache-2.0
#include "protocol/groups/merge.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

/// Cuts a daemon's members into pieces; a group too large for one goes on in the next.
class Composer {
 public:
  Composer(const RingId& configuration, std::span<const NodeKey> companions) {
    chunk_.configuration = configuration;
    chunk_.companions.assign(companions.begin(), companions.end());
    bytes_ = head_bytes + companions.size() * key_bytes;
    RC_ASSERT(bytes_ + group_bytes_max + member_bytes_max <= exchange_envelope_bytes_max);
  }

  void add(std::string_view group, bool changed, std::span<const Member> members) {
    if (members.empty()) return;
    start_group(group, changed);
    for (const auto& member : members) {
      const auto bytes = member_bytes + member.name.size();
      if (bytes_ + bytes > exchange_envelope_bytes_max) {
        flush();
        start_group(group, changed);
      }
      chunk_.groups.back().members.push_back({.name = member.name, .session = member.session});
      bytes_ += bytes;
    }
  }

  std::vector<BufferRef> finish() {
    chunk_.last = true;
    flush();
    return std::move(pieces_);
  }

 private:
  static constexpr std::size_t head_bytes = 1 + 1 + 16 + 4 + 2 + 2;
  static constexpr std::size_t key_bytes = 8;
  static constexpr std::size_t group_bytes = 1 + 1 + 2;
  static constexpr std::size_t member_bytes = 1 + 8;
  static constexpr std::size_t group_bytes_max = group_bytes + name_bytes_max;
  static constexpr std::size_t member_bytes_max = member_bytes + name_bytes_max;

  void start_group(std::string_view name, bool changed) {
    if (bytes_ + group_bytes_max + member_bytes_max > exchange_envelope_bytes_max) flush();
    chunk_.groups.push_back({.name = name, .changed = changed, .members = {}});
    bytes_ += group_bytes + name.size();
  }

  void flush() {
    pieces_.push_back(encode(chunk_));
    ++chunk_.index;
    chunk_.companions.clear();
    chunk_.groups.clear();
    bytes_ = head_bytes;
  }

  ExchangeChunk chunk_;
  std::size_t bytes_{0};
  std::vector<BufferRef> pieces_;
};

}  // namespace

Exchange::Exchange(const RingId& configuration, std::span<const NodeKey> members)
    : configuration_(configuration), incomplete_(members.size()) {
  for (const auto& member : members) {
    shares_[member.node].key = member;
  }
  RC_ASSERT(shares_.size() == members.size());
}

std::vector<BufferRef> Exchange::compose(
    const RingId& configuration,
    NodeId self,
    const Directory& directory,
    std::span<const NodeKey> companions) {
  Composer composer(configuration, companions);
  for (const auto& [name, group] : directory.groups()) {
    composer.add(name, group.changed, directory.members_at(name, self));
  }
  return composer.finish();
}

bool Exchange::accept(NodeId from, const ExchangeChunk& chunk) {
  RC_ASSERT(chunk.configuration == configuration_);
  const auto at = shares_.find(from);
  if (at == shares_.end()) return false;
  auto& share = at->second;
  if (share.done || chunk.index != share.next_index) return false;
  ++share.next_index;
  if (chunk.index == 0) share.companions = chunk.companions;

  bool sound = true;
  for (const auto& group : chunk.groups) {
    if (group.changed) changed_.emplace(group.name);
    for (const auto& member : group.members) {
      const Member full{.node = from, .name = std::string(member.name), .session = member.session};
      sound = directory_.add(group.name, full) && sound;
    }
  }
  if (chunk.last) {
    share.done = true;
    --incomplete_;
  }
  return sound;
}

std::vector<std::string> Exchange::affected() const {
  RC_ASSERT(complete());
  std::vector<std::string> names;
  for (const auto& [name, group] : directory_.groups()) {
    if (is_affected(name, group)) names.push_back(name);
  }
  return names;
}

bool Exchange::is_affected(const std::string& name, const Directory::Group& group) const {
  if (changed_.contains(name)) return true;
  const auto& first = shares_.at(group.members.front().node).companions;
  return std::any_of(group.members.begin(), group.members.end(), [&](const Member& member) {
    return shares_.at(member.node).companions != first;
  });
}

std::vector<NodeKey> Exchange::companions_of(NodeId node) const {
  RC_ASSERT(complete());
  const auto& mine = shares_.at(node).companions;
  std::vector<NodeKey> keys;
  for (const auto& [id, share] : shares_) {
    if (share.companions == mine) keys.push_back(share.key);
  }
  return keys;
}

}  // namespace ringcast
