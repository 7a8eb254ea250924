// SPDX-License-Identifier: Apache-2.0
//
// Sealer: what makes a datagram ours. It fills in header and tag at the last moment before
// sending and checks them at the first moment after receiving, so that corruption becomes
// loss and, with a keyed sealer, forgery does too.
//
// NullSealer protects against accidents only: a 128-bit XXH3 stands where an authentication
// tag will be. Its layout is the keyed one's, key id 0.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ringcast/result.hpp"

#include "protocol/base/ids.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

/// Cluster names as they stand in the header.
std::uint32_t cluster_tag(std::string_view cluster);

class Sealer {
 public:
  virtual ~Sealer() = default;
  /// `datagram`: header room, type already set, body, tag room.
  virtual void seal(std::span<std::byte> datagram) = 0;
  /// The header, when the datagram is whole and ours. Errors: malformed, corrupt,
  /// unsupported_version, invalid_argument (another cluster's).
  virtual Result<PacketHeader> open(std::span<const std::byte> datagram) = 0;
};

class NullSealer final : public Sealer {
 public:
  NullSealer(NodeKey self, std::uint32_t cluster) : self_(self), cluster_(cluster) {}

  void seal(std::span<std::byte> datagram) override;
  Result<PacketHeader> open(std::span<const std::byte> datagram) override;

 private:
  NodeKey self_;
  std::uint32_t cluster_;
  std::uint64_t counter_{0};
};

/// Reads the header fields. REQUIRES: datagram.size() >= packet_header_bytes.
PacketHeader read_header(std::span<const std::byte> datagram);

}  // namespace ringcast
