// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/frame_batch.hpp"

#include <algorithm>
#include <utility>

namespace ringcast {

bool FrameBatch::add(std::span<const SessionId> to, const EventFrame& frame) {
  if (!empty() && !std::equal(to.begin(), to.end(), to_.begin(), to_.end())) return false;
  if (block_.empty()) block_ = BufferRef::allocate(BufferRef::roomy_bytes);
  if (frame.size() > block_.size() - used_) return false;
  if (empty()) to_.assign(to.begin(), to.end());
  frame.copy_to(block_.writable().subspan(used_, frame.size()));
  used_ += frame.size();
  return true;
}

// A well-filled block is handed on as it is; a few small frames must not hold all of it.
BufferRef FrameBatch::take() {
  const auto used = std::exchange(used_, 0);
  if (used >= block_.size() / 2) return std::exchange(block_, BufferRef{}).slice(0, used);
  return BufferRef::copy_of(block_.bytes().first(used));
}

}  // namespace ringcast
