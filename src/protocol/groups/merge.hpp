// SPDX-License-Identifier: Apache-2.0
//
// Exchange: one attempt to merge the group state of the daemons of one configuration. Every
// daemon sends its own members in pieces; when the last piece of every daemon was delivered,
// the union of all is the new Directory, and who came along with whom is known.
//
// Everything it concludes rests on exchanged data only, so all daemons conclude the same.
// An attempt cut off by another configuration change is thrown away whole. [GRP-9]
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/buffer.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/groups/directory.hpp"
#include "protocol/groups/envelope.hpp"

namespace ringcast {

class Exchange {
 public:
  /// `members` of the configuration, ascending.
  Exchange(const RingId& configuration, std::span<const NodeKey> members);

  /// The pieces that tell the others of `self`'s members, as envelopes in sending order.
  static std::vector<BufferRef> compose(
      const RingId& configuration,
      NodeId self,
      const Directory& directory,
      std::span<const NodeKey> companions);

  /// Takes a piece. False when it, or a part of it, makes no sense; that part is ignored.
  bool accept(NodeId from, const ExchangeChunk& chunk);

  [[nodiscard]] const RingId& configuration() const { return configuration_; }
  [[nodiscard]] bool complete() const { return incomplete_ == 0; }

  // Conclusions. REQUIRES: complete().

  [[nodiscard]] const Directory& directory() const { return directory_; }
  /// Groups that owe their members a network view, in name order. [GRP-8]
  [[nodiscard]] std::vector<std::string> affected() const;
  /// The daemons that share `node`'s history of views, itself included; ascending. [GRP-6]
  [[nodiscard]] std::vector<NodeKey> companions_of(NodeId node) const;

 private:
  struct Share {
    NodeKey key;
    std::uint32_t next_index{0};
    bool done{false};
    std::vector<NodeKey> companions;
  };

  [[nodiscard]] bool is_affected(const std::string& name, const Directory::Group& group) const;

  RingId configuration_;
  std::map<NodeId, Share> shares_;
  std::size_t incomplete_{0};
  Directory directory_;
  std::set<std::string, std::less<>> changed_;
};

}  // namespace ringcast
