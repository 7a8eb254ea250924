// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/buffer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

// A block is of one of these sizes, each twice the one before, or of just the size it has to have:
// glibc keeps smaller ones itself, and larger ones are asked for only now and then.
constexpr std::size_t shelf_bytes_min = 2048;
constexpr std::size_t shelves = 7;
constexpr std::size_t shelved_bytes_min = shelf_bytes_min / 2;
constexpr std::size_t shelved_bytes_max = shelf_bytes_min << (shelves - 1);
constexpr std::size_t kept_bytes_max = std::size_t{1} << 20U;  // on a shelf

struct Unused {
  Unused* next;
};

/// The thread's blocks of one size that wait for use. Has no destructor: there may be buffers that
/// live longer than those with one.
struct Shelf {
  Unused* first;
  std::size_t bytes;
};
thread_local constinit std::array<Shelf, shelves> all_shelves{};
thread_local constinit bool are_shelves_closed{false};

struct ShelfCloser {
  ShelfCloser() = default;
  ShelfCloser(const ShelfCloser&) = delete;
  ShelfCloser& operator=(const ShelfCloser&) = delete;
  ShelfCloser(ShelfCloser&&) = delete;
  ShelfCloser& operator=(ShelfCloser&&) = delete;
  ~ShelfCloser() {
    are_shelves_closed = true;
    for (auto& shelf : all_shelves) {
      while (shelf.first != nullptr) {
        ::operator delete(static_cast<void*>(std::exchange(shelf.first, shelf.first->next)));
      }
    }
  }
  void touch() const {}  // makes it
};
thread_local const ShelfCloser shelf_closer;

std::size_t bytes_on(std::size_t shelf) { return shelf_bytes_min << shelf; }

/// Where a block of so many bytes belongs; `shelves`: nowhere.
std::size_t shelf_for(std::size_t bytes) {
  if (!BufferRef::keeps_blocks) return shelves;
  if (bytes < shelved_bytes_min || bytes > shelved_bytes_max) return shelves;
  return static_cast<std::size_t>(std::bit_width((bytes - 1) / shelf_bytes_min));
}

void* take_kept(std::size_t number) {
  auto& shelf = all_shelves[number];
  if (shelf.first == nullptr) return nullptr;
  shelf.bytes -= bytes_on(number);
  return std::exchange(shelf.first, shelf.first->next);
}

/// False when there are enough.
bool keep(void* memory, std::size_t number) {
  auto& shelf = all_shelves[number];
  if (are_shelves_closed || shelf.bytes >= kept_bytes_max) return false;
  if (shelf.first == nullptr) shelf_closer.touch();
  shelf.first = new (memory) Unused{.next = shelf.first};
  shelf.bytes += bytes_on(number);
  return true;
}

}  // namespace

BufferRef BufferRef::allocate(std::size_t size) {
  const std::size_t bytes = sizeof(Block) + size;
  const auto shelf = shelf_for(bytes);
  const bool is_shelved = shelf < shelves;
  void* memory = is_shelved ? take_kept(shelf) : nullptr;
  if (memory == nullptr) memory = ::operator new(is_shelved ? bytes_on(shelf) : bytes);
  BufferRef buffer;
  buffer.block_ =
      new (memory) Block{.references = 1, .shelf = static_cast<std::uint16_t>(shelf), .room = 0};
  buffer.data_ = static_cast<std::byte*>(memory) + sizeof(Block);
  buffer.size_ = size;
  return buffer;
}

BufferRef BufferRef::allocate_with_room(std::size_t size, std::uint16_t room) {
  auto buffer = allocate(room + size);
  buffer.block_->room = room;
  buffer.remove_prefix(room);
  return buffer;
}

void BufferRef::prepend(std::span<const std::byte> bytes) {
  RC_ASSERT(bytes.size() <= room_before());
  if (bytes.empty()) return;
  data_ -= bytes.size();
  size_ += bytes.size();
  std::memcpy(data_, bytes.data(), bytes.size());
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
  if (block_->shelf < shelves && keep(memory, block_->shelf)) return;
  ::operator delete(memory);
}

void BufferRef::remove_prefix(std::size_t count) {
  RC_ASSERT(count <= size_);
  data_ += count;
  size_ -= count;
}

BufferRef BufferRow::allocate(std::size_t size) {
  if (left_.size() < size) left_ = BufferRef::allocate(std::max(BufferRef::roomy_bytes, size));
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
