// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/bytes.hpp"

#include <bit>
#include <cstring>

#include "protocol/base/assert.hpp"

namespace ringcast {

static_assert(std::endian::native == std::endian::little, "add byte swapping to number()");

template <class T>
T ByteReader::number() {
  T value{};
  if (!ok_ || remaining() < sizeof(T)) {
    ok_ = false;
    return value;
  }
  std::memcpy(&value, bytes_.data() + position_, sizeof(T));
  position_ += sizeof(T);
  return value;
}

std::uint8_t ByteReader::u8() { return number<std::uint8_t>(); }
std::uint16_t ByteReader::u16() { return number<std::uint16_t>(); }
std::uint32_t ByteReader::u32() { return number<std::uint32_t>(); }
std::uint64_t ByteReader::u64() { return number<std::uint64_t>(); }

std::span<const std::byte> ByteReader::bytes(std::size_t count) {
  if (!ok_ || remaining() < count) {
    ok_ = false;
    return {};
  }
  const auto part = bytes_.subspan(position_, count);
  position_ += count;
  return part;
}

std::string_view ByteReader::text8() {
  const auto part = bytes(u8());
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

std::string_view ByteReader::text16() {
  const auto part = bytes(u16());
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

template <class T>
void ByteWriter::number(T value) {
  const auto at = bytes_.size();
  bytes_.resize(at + sizeof(T));
  std::memcpy(bytes_.data() + at, &value, sizeof(T));
}

template void ByteWriter::number(std::uint8_t);
template void ByteWriter::number(std::uint16_t);
template void ByteWriter::number(std::uint32_t);
template void ByteWriter::number(std::uint64_t);

void ByteWriter::bytes(std::span<const std::byte> value) {
  bytes_.insert(bytes_.end(), value.begin(), value.end());
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
  RC_ASSERT(offset + sizeof(value) <= bytes_.size());
  std::memcpy(bytes_.data() + offset, &value, sizeof(value));
}

}  // namespace ringcast
