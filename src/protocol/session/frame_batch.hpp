// SPDX-License-Identifier: Apache-2.0
//
// FrameBatch: frames of events for the same sessions, laid one behind the other into one block. So
// many small messages are one allocation, one write and one place in a client's queue.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "protocol/base/buffer.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/session/event_frame.hpp"

namespace ringcast {

class FrameBatch {
 public:
  /// False when the frame does not belong here: it is for other sessions than those before it, or
  /// there is no room. In an empty batch only long frames have none.
  bool add(std::span<const SessionId> to, const EventFrame& frame);

  [[nodiscard]] bool empty() const { return used_ == 0; }
  /// Whom the frames are for.
  [[nodiscard]] std::span<const SessionId> to() const { return to_; }
  /// All frames; the batch is empty then.
  BufferRef take();

 private:
  std::vector<SessionId> to_;
  BufferRef block_;
  std::size_t used_{0};
};

}  // namespace ringcast
