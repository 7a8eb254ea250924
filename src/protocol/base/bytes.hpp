// SPDX-License-Identifier: Apache-2.0
//
// ByteReader and ByteWriter: little-endian fields, bounds-checked, one after the other.
// A reader that runs out turns bad and yields zeros; look at ok() once, at the end, and
// check every count against remaining() before looping over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ringcast {

class ByteReader {
 public:
  /// `bytes` must outlive the reader and every span it returns.
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::span<const std::byte> bytes(std::size_t count);
  /// A byte of length, then that many bytes; refers to the input.
  std::string_view text8();
  /// Two bytes of length, then that many bytes; refers to the input.
  std::string_view text16();

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }
  /// True when every read succeeded and nothing is left over.
  [[nodiscard]] bool done() const { return ok_ && remaining() == 0; }

 private:
  template <class T>
  T number();

  std::span<const std::byte> bytes_;
  std::size_t position_{0};
  bool ok_{true};
};

class ByteWriter {
 public:
  void u8(std::uint8_t value) { number(value); }
  void u16(std::uint16_t value) { number(value); }
  void u32(std::uint32_t value) { number(value); }
  void u64(std::uint64_t value) { number(value); }
  void bytes(std::span<const std::byte> value);
  /// REQUIRES: text.size() <= 255.
  void text8(std::string_view text);
  /// REQUIRES: text.size() <= 65535.
  void text16(std::string_view text);

  /// Overwrites four bytes at `offset`. REQUIRES: offset + 4 <= size().
  void patch_u32(std::size_t offset, std::uint32_t value);

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> view() const { return bytes_; }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  void clear() { bytes_.clear(); }

 private:
  template <class T>
  void number(T value);

  std::vector<std::byte> bytes_;
};

}  // namespace ringcast
