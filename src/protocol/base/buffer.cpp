// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/buffer.hpp"

#include <cstring>
#include <new>

#include "protocol/base/assert.hpp"

namespace ringcast {

BufferRef BufferRef::allocate(std::size_t size) {
  void* memory = ::operator new(sizeof(Block) + size);
  BufferRef buffer;
  buffer.block_ = new (memory) Block{.references = 1};
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

void BufferRef::free_block() { ::operator delete(static_cast<void*>(block_)); }

BufferRef BufferRef::slice(std::size_t offset, std::size_t length) const {
  RC_ASSERT(offset <= size_);
  RC_ASSERT(length <= size_ - offset);
  BufferRef part(*this);
  part.data_ += offset;
  part.size_ = length;
  return part;
}

}  // namespace ringcast
