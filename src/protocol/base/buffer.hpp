// SPDX-License-Identifier: Apache-2.0
//
// BufferRef: a slice of counted bytes. The window, the wire, retransmission and every local
// subscriber's write queue refer to the same block; a fragment is a slice of it. The count is
// not atomic: a block never leaves the thread that made it.
//
// Blocks from about 1 KiB to 128 KiB are of the size of a power of two, and some of each size are
// kept for the next one that is asked for: malloc() is slow beyond the sizes that it keeps itself,
// and what was let go of last is still in the cache.
//
// A block is written by whoever allocated it before it is shared, by the sealer at the moment of
// sending, and by prepend() while nobody else refers to it; nobody else writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ringcast {

class BufferRef {
  struct Block {
    std::uint32_t references;
    std::uint16_t shelf;  ///< where it is kept
    std::uint16_t room;   ///< between this and the first byte
  };

 public:
  /// For who wants much room at once, no matter how much: it fills a block of 64 KiB.
  static constexpr std::size_t roomy_bytes = (std::size_t{64} << 10U) - sizeof(Block);

  /// A sanitizer is to see every block come and go, and where it ends.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool keeps_blocks = false;
#elif defined(__has_feature)
  static constexpr bool keeps_blocks = !__has_feature(address_sanitizer);
#else
  static constexpr bool keeps_blocks = true;
#endif

  BufferRef() = default;
  BufferRef(const BufferRef& other) : block_(other.block_), data_(other.data_), size_(other.size_) {
    if (block_ != nullptr) ++block_->references;
  }
  BufferRef(BufferRef&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  BufferRef& operator=(const BufferRef& other) {
    if (this != &other) *this = BufferRef(other);
    return *this;
  }
  BufferRef& operator=(BufferRef&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~BufferRef() {
    if (block_ != nullptr && --block_->references == 0) free_block();
  }

  /// A fresh block of `size` uninitialised bytes.
  static BufferRef allocate(std::size_t size);
  /// As above, with room for `room` bytes that can be put before them.
  static BufferRef allocate_with_room(std::size_t size, std::uint16_t room);
  /// A fresh block holding a copy of `bytes`.
  static BufferRef copy_of(std::span<const std::byte> bytes);
  static BufferRef copy_of(std::string_view text);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] std::span<std::byte> writable() { return {data_, size_}; }

  /// REQUIRES: offset + length <= size().
  [[nodiscard]] BufferRef slice(std::size_t offset, std::size_t length) const;
  /// From now on this begins `count` bytes later. REQUIRES: count <= size().
  void remove_prefix(std::size_t count);
  /// So many bytes can be put before this one: it was allocated for that, and is alone in its
  /// block.
  [[nodiscard]] std::size_t room_before() const {
    const bool is_ours = block_ != nullptr && block_->room > 0 && block_->references == 1;
    return is_ours ? static_cast<std::size_t>(data_ - first_byte()) : 0;
  }
  /// From now on this begins with `bytes`, where others' may have been. REQUIRES: bytes.size() <=
  /// room_before(); they do not lie in this block.
  void prepend(std::span<const std::byte> bytes);

 private:
  void free_block();
  /// Of the block.
  [[nodiscard]] const std::byte* first_byte() const {
    return reinterpret_cast<const std::byte*>(block_ + 1);
  }

  Block* block_{nullptr};
  std::byte* data_{nullptr};
  std::size_t size_{0};
};

/// Buffers that are asked for one after the other lie one behind the other, for as long as a block
/// lasts. A block lives as long as any buffer in it, so this is for what is let go of in about the
/// order in which it came.
class BufferRow {
 public:
  /// `size` uninitialised bytes.
  BufferRef allocate(std::size_t size);

 private:
  BufferRef left_;  ///< of the newest block
};

}  // namespace ringcast
