// SPDX-License-Identifier: Apache-2.0
//
// EventFrame: the frame of an event before it is laid anywhere: its head, encoded, and the payload
// that follows it, which stays where it is.
#pragma once

#include <cstddef>
#include <span>

#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/base/client_events.hpp"

namespace ringcast {

/// A copy costs less than a buffer more. Longer payloads are what came off the ring, and so long
/// that what they hold, a block at either end more than is theirs alone, is little beside it.
inline constexpr std::size_t copied_payload_max = std::size_t{32} << 10U;

class EventFrame {
 public:
  /// Refers to the event.
  explicit EventFrame(const ClientEvent& event);

  [[nodiscard]] std::size_t size() const { return head_.size() + payload().size(); }
  /// The payload is worth a copy.
  [[nodiscard]] bool is_copied() const { return payload().size() <= copied_payload_max; }
  /// REQUIRES: to.size() == size().
  void copy_to(std::span<std::byte> to) const;
  /// The frame of `event` on its own, with a payload that is not worth a copy behind its head.
  static BufferChain alone(ClientEvent event);

 private:
  [[nodiscard]] const BufferChain& payload() const { return *payload_; }

  ByteWriter head_;
  const BufferChain* payload_;
};

}  // namespace ringcast
