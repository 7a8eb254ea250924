// SPDX-License-Identifier: Apache-2.0
//
// The identities of the ring. A daemon is a NodeId (from its name, never its place in a
// file); one run of it is a NodeKey; a ring is a RingId and is never named twice.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/strong.hpp"

namespace ringcast {

using NodeId = Strong<struct NodeIdTag, std::uint32_t>;  ///< hash of the daemon's name
using BootId = Strong<struct BootIdTag, std::uint32_t>;  ///< drawn at random at each start
using Seq = Strong<struct SeqTag, std::uint64_t>;        ///< a packet of a ring; the first is 1
using SessionId =
    Strong<struct SessionIdTag, std::uint64_t>;  ///< unique within one run of a daemon

constexpr Seq next(Seq seq) { return Seq{seq.value + 1}; }

/// The id of the daemon of that name: 32 bits of XXH3. Two names with one id are a
/// configuration error.
NodeId node_id(std::string_view name);

/// One run of a daemon. A restarted daemon is another member.
struct NodeKey {
  NodeId node;
  BootId boot;

  auto operator<=>(const NodeKey&) const = default;
};

/// Ordered by seq first, so "newer ring" is a comparison.
struct RingId {
  std::uint64_t seq{0};  ///< 0: no ring
  NodeId representative;
  BootId boot;  ///< of the representative

  auto operator<=>(const RingId&) const = default;
};

std::string to_string(NodeId id);           ///< 8 hex digits
std::string to_string(const NodeKey& key);  ///< "node/boot"
std::string to_string(const RingId& id);    ///< "seq.node.boot"

}  // namespace ringcast
