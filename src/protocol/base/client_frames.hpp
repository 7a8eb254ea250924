// SPDX-License-Identifier: Apache-2.0
//
// ClientFrames: whole frames on their way to clients, one or more. The payload of a long message is
// not copied into its frame but follows it.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "protocol/base/buffer.hpp"

namespace ringcast {

struct ClientFrames {
  ClientFrames() = default;
  ClientFrames(BufferRef frames) : bytes(std::move(frames)) {}  // NOLINT: in one piece
  ClientFrames(BufferRef head, BufferRef following)
      : bytes(std::move(head)), payload(std::move(following)) {}

  [[nodiscard]] std::size_t size() const { return bytes.size() + payload.size(); }
  /// In one piece.
  [[nodiscard]] BufferRef whole() const {
    if (payload.empty()) return bytes;
    auto joined = BufferRef::allocate(size());
    std::memcpy(joined.writable().data(), bytes.bytes().data(), bytes.size());
    std::memcpy(joined.writable().data() + bytes.size(), payload.bytes().data(), payload.size());
    return joined;
  }

  BufferRef bytes;    ///< all of the frames, or what precedes the payload of the one
  BufferRef payload;  ///< the rest
};

}  // namespace ringcast
