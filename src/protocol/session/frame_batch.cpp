// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/frame_batch.hpp"

#include <algorithm>
#include <utility>

#include "protocol/session/event_frame.hpp"

namespace ringcast {

std::size_t FrameBatch::add(std::span<const SessionId> to, const ClientEvent& event) {
  if (!empty() && !std::equal(to.begin(), to.end(), to_.begin(), to_.end())) return 0;
  if (block_.empty()) block_ = BufferRef::allocate(BufferRef::roomy_bytes);
  const EventFrame frame(event);
  if (!frame.is_copied() || frame.size() > block_.size() - used_) return 0;
  if (empty()) to_.assign(to.begin(), to.end());
  frame.copy_to(block_.writable().subspan(used_, frame.size()));
  used_ += frame.size();
  return frame.size();
}

// A well-filled block is handed on as it is; a few small frames must not hold all of it.
BufferRef FrameBatch::take() {
  const auto used = std::exchange(used_, 0);
  if (used >= block_.size() / 2) return std::exchange(block_, BufferRef{}).slice(0, used);
  return BufferRef::copy_of(block_.bytes().first(used));
}

}  // namespace ringcast
