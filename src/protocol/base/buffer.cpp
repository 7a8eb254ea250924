// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

constexpr std::size_t kept_bytes_min = 1024;  // glibc keeps smaller ones itself
constexpr std::size_t kept_bytes = 2048;
constexpr std::size_t row_block_bytes = std::size_t{64} << 10U;
// A sanitizer is to see every block come and go.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kept_max = 0;
#elif defined(__has_feature)
constexpr std::size_t kept_max = __has_feature(address_sanitizer) ? 0 : 512;
#else
constexpr std::size_t kept_max = 512;
#endif

struct Unused {
  Unused* next;
};

/// The thread's blocks that wait for use. Has no destructor: there may be buffers that live longer
/// than those with one.
struct Shelf {
  Unused* first;
  std::size_t count;
  bool is_closed;
};
thread_local constinit Shelf shelf{};

struct ShelfCloser {
  ShelfCloser() = default;
  ShelfCloser(const ShelfCloser&) = delete;
  ShelfCloser& operator=(const ShelfCloser&) = delete;
  ShelfCloser(ShelfCloser&&) = delete;
  ShelfCloser& operator=(ShelfCloser&&) = delete;
  ~ShelfCloser() {
    shelf.is_closed = true;
    while (shelf.first != nullptr) {
      ::operator delete(static_cast<void*>(std::exchange(shelf.first, shelf.first->next)));
    }
  }
  void touch() const {}  // makes it
};
thread_local const ShelfCloser shelf_closer;

void* take_kept() {
  if (shelf.first == nullptr) return nullptr;
  --shelf.count;
  return std::exchange(shelf.first, shelf.first->next);
}

/// False when there are enough.
bool keep(void* memory) {
  if (shelf.is_closed || shelf.count >= kept_max) return false;
  if (shelf.first == nullptr) shelf_closer.touch();
  shelf.first = new (memory) Unused{.next = shelf.first};
  ++shelf.count;
  return true;
}

}  // namespace

BufferRef BufferRef::allocate(std::size_t size) {
  const std::size_t bytes = sizeof(Block) + size;
  const bool is_kept = bytes >= kept_bytes_min && bytes <= kept_bytes;
  void* memory = is_kept ? take_kept() : nullptr;
  if (memory == nullptr) memory = ::operator new(is_kept ? kept_bytes : bytes);
  BufferRef buffer;
  buffer.block_ = new (memory) Block{.references = 1, .is_kept = is_kept};
  buffer.data_ = static_cast<std::byte*>(memory) + sizeof(Block);
  buffer.size_ = size;
  return buffer;
}

BufferRef BufferRef::copy_of(std::span<const std::byte> bytes) {
  BufferRef buffer = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.data_, bytes.data(), bytes.size());
  return buffer;
}

BufferRef BufferRef::copy_of(std::string_view text) {
  return copy_of(std::as_bytes(std::span{text.data(), text.size()}));
}

void BufferRef::free_block() {
  void* const memory = block_;
  if (block_->is_kept && keep(memory)) return;
  ::operator delete(memory);
}

void BufferRef::remove_prefix(std::size_t count) {
  RC_ASSERT(count <= size_);
  data_ += count;
  size_ -= count;
}

BufferRef BufferRow::allocate(std::size_t size) {
  if (left_.size() < size) left_ = BufferRef::allocate(std::max(row_block_bytes, size));
  auto buffer = left_.slice(0, size);
  left_.remove_prefix(size);
  return buffer;
}

BufferRef BufferRef::slice(std::size_t offset, std::size_t length) const {
  RC_ASSERT(offset <= size_);
  RC_ASSERT(length <= size_ - offset);
  BufferRef part(*this);
  part.data_ += offset;
  part.size_ = length;
  return part;
}

}  // namespace ringcast
