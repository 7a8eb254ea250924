// SPDX-License-Identifier: Apache-2.0
//
// BufferChain: bytes that lie in one buffer or, if they are many, in several, one after the other:
// a long message as its packets brought it, or what precedes it and the message. A value: a copy
// has shares in the same buffers. What lies in one buffer costs a pointer more than that.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "protocol/base/buffer.hpp"

namespace ringcast {

class BufferChain {
 public:
  BufferChain() = default;
  BufferChain(BufferRef bytes) : front_(std::move(bytes)) {}  // NOLINT: in one piece
  ~BufferChain() = default;
  BufferChain(const BufferChain& other);
  BufferChain(BufferChain&& other) noexcept = default;
  BufferChain& operator=(const BufferChain& other) {
    if (this != &other) *this = BufferChain(other);
    return *this;
  }
  BufferChain& operator=(BufferChain&& other) noexcept = default;

  [[nodiscard]] std::size_t size() const { return front_.size() + (rest_ ? rest_->bytes : 0); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] bool is_one_piece() const { return rest_ == nullptr; }
  /// The first of its buffers.
  [[nodiscard]] const BufferRef& front() const { return front_; }
  /// Those behind it.
  [[nodiscard]] std::span<const BufferRef> rest() const;
  [[nodiscard]] std::size_t buffers() const { return 1 + rest().size(); }

  /// Behind the others. Without bytes: nothing.
  void append(BufferRef bytes);
  void append(BufferChain bytes);
  /// From now on this begins `count` bytes later. REQUIRES: count <= front().size().
  void remove_prefix(std::size_t count) { front_.remove_prefix(count); }
  /// As of the first of its buffers.
  [[nodiscard]] std::size_t room_before() const { return front_.room_before(); }
  void prepend(std::span<const std::byte> bytes) { front_.prepend(bytes); }
  /// Lets go of the first buffer. REQUIRES: there are more.
  void pop_front();

  /// REQUIRES: to.size() == size().
  void copy_to(std::span<std::byte> to) const;
  /// The same bytes in one buffer; without a copy if they are.
  [[nodiscard]] BufferRef joined() const;

 private:
  struct Rest {
    std::vector<BufferRef> buffers;
    std::size_t first{0};  ///< those before it were let go of
    std::size_t bytes{0};
  };

  BufferRef front_;
  std::unique_ptr<Rest> rest_;  ///< nothing, or at least one buffer
};

}  // namespace ringcast
