// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/frame_batch.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/base/bytes.hpp"
#include "protocol/session/session.hpp"

namespace ringcast {
namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 10U;

}  // namespace

std::size_t FrameBatch::add(std::span<const SessionId> to, const ClientEvent& event) {
  if (!empty() && !std::equal(to.begin(), to.end(), to_.begin(), to_.end())) return 0;
  if (block_.empty()) block_ = BufferRef::allocate(block_bytes);
  ByteWriter head;
  Session::encode_event_head(head, event);
  const auto payload = Session::payload_of(event);
  const std::size_t bytes = head.size() + payload.size();
  if (bytes > block_.size() - used_ || payload.size() > copied_payload_max) return 0;
  if (empty()) to_.assign(to.begin(), to.end());
  const auto room = block_.writable().subspan(used_, bytes);
  std::memcpy(room.data(), head.view().data(), head.size());
  if (!payload.empty()) {
    std::memcpy(room.data() + head.size(), payload.bytes().data(), payload.size());
  }
  used_ += bytes;
  return bytes;
}

// A well-filled block is handed on as it is; a few small frames must not hold all of it.
BufferRef FrameBatch::take() {
  const auto used = std::exchange(used_, 0);
  if (used >= block_.size() / 2) return std::exchange(block_, BufferRef{}).slice(0, used);
  return BufferRef::copy_of(block_.bytes().first(used));
}

}  // namespace ringcast
