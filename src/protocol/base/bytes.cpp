// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/bytes.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {

std::string_view ByteReader::text8() {
  const auto part = bytes(u8());
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

std::string_view ByteReader::text16() {
  const auto part = bytes(u16());
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

void ByteWriter::grow(std::size_t needed) {
  const std::size_t capacity = std::max(needed, 2 * capacity_);
  auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
  std::copy_n(data_, size_, larger.get());
  beyond_ = std::move(larger);
  data_ = beyond_.get();
  capacity_ = capacity;
}

void ByteWriter::text8(std::string_view text) {
  RC_ASSERT(text.size() <= 255);
  u8(static_cast<std::uint8_t>(text.size()));
  bytes(std::as_bytes(std::span{text.data(), text.size()}));
}

void ByteWriter::text16(std::string_view text) {
  RC_ASSERT(text.size() <= 65535);
  u16(static_cast<std::uint16_t>(text.size()));
  bytes(std::as_bytes(std::span{text.data(), text.size()}));
}

void ByteWriter::patch_u32(std::size_t offset, std::uint32_t value) {
  RC_ASSERT(offset + sizeof(value) <= size_);
  std::memcpy(data_ + offset, &value, sizeof(value));
}

}  // namespace ringcast
