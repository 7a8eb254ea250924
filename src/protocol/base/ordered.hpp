// SPDX-License-Identifier: Apache-2.0
//
// What the ring hands up: messages and configuration changes in one ordered stream. That
// both travel in the same stream is what makes it extended virtual synchrony.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "ringcast/service.hpp"

#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/ids.hpp"

namespace ringcast {

/// A message that has a buffer of its own has so much room before it: to a client its payload goes
/// where it lies, behind a head that is longer than its envelope's by less than this.
inline constexpr std::uint16_t head_room_bytes = 48;

/// A whole message at its place in the order.
struct OrderedMessage {
  RingId configuration;    ///< the regular configuration it was originated in
  Seq seq;                 ///< the packet that carried its last byte
  std::uint32_t index{0};  ///< its place inside that packet
  NodeId originator;
  Service service{Service::agreed};
  bool transitional{false};  ///< delivered in the transitional configuration after `configuration`
  BufferChain payload;
};

/// The configuration the following messages are delivered in.
struct ConfigurationChange {
  enum class Kind : std::uint8_t { transitional, regular };

  Kind kind{Kind::regular};
  RingId
      id;  ///< of the regular configuration; for a transitional one, of the regular one it leads to
  RingId previous;               ///< the regular configuration left behind; seq 0 at the very first
  std::vector<NodeKey> members;  ///< in ring order: ascending NodeId
};

using OrderedEvent = std::variant<OrderedMessage, ConfigurationChange>;

}  // namespace ringcast
