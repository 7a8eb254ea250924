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
  explicit EventFrame(ClientEvent& event);

  [[nodiscard]] std::size_t size() const { return head_.size() + payload_->size(); }
  /// It is best copied to where other frames are.
  [[nodiscard]] bool is_copied() const {
    return payload_->size() <= copied_payload_max && !has_room();
  }
  /// REQUIRES: to.size() == size().
  void copy_to(std::span<std::byte> to) const;
  /// The frame on its own. A payload that is not worth a copy is the event's; of that nothing is
  /// left.
  BufferChain alone() &&;

 private:
  /// The head fits before the payload, over what the event was read from.
  [[nodiscard]] bool has_room() const { return payload_->room_before() >= head_.size(); }

  ByteWriter head_;
  BufferChain* payload_;
  BufferChain nothing_;  ///< the payload of an event that has none
};

}  // namespace ringcast
