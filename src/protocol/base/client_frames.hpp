// SPDX-License-Identifier: Apache-2.0
//
// ClientFrame: a frame on its way to clients. The payload of a long message is not copied into
// it but follows it.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "protocol/base/buffer.hpp"

namespace ringcast {

struct ClientFrame {
  ClientFrame() = default;
  ClientFrame(BufferRef frame_bytes) : bytes(std::move(frame_bytes)) {}  // NOLINT: a whole frame
  ClientFrame(BufferRef head, BufferRef following)
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

  BufferRef bytes;    ///< all of the frame, or what precedes the payload
  BufferRef payload;  ///< the rest
};

}  // namespace ringcast
