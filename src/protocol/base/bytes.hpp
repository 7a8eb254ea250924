// SPDX-License-Identifier: Apache-2.0
//
// ByteReader and ByteWriter: little-endian fields, bounds-checked, one after the other.
// A reader that runs out turns bad and yields zeros; look at ok() once, at the end, and
// check every count against remaining() before looping over it.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace ringcast {

static_assert(std::endian::native == std::endian::little, "add byte swapping to number()");

class ByteReader {
 public:
  /// `bytes` must outlive the reader and every span it returns.
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::span<const std::byte> bytes(std::size_t count) {
    if (remaining() < count) {
      fail();
      return {};
    }
    const auto part = bytes_.subspan(position_, count);
    position_ += count;
    return part;
  }
  /// A byte of length, then that many bytes; refers to the input.
  std::string_view text8();
  /// Two bytes of length, then that many bytes; refers to the input.
  std::string_view text16();

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  /// 0 once a read failed.
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }
  /// True when every read succeeded and nothing is left over.
  [[nodiscard]] bool done() const { return ok_ && remaining() == 0; }

 private:
  template <class T>
  T number() {
    T value{};
    if (remaining() < sizeof(T)) {
      fail();
      return value;
    }
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  /// What was too short for one field is too short for all that follow.
  void fail() {
    ok_ = false;
    position_ = bytes_.size();
  }

  std::span<const std::byte> bytes_;
  std::size_t position_{0};
  bool ok_{true};
};

/// Short texts, most heads of frames and packets, stay in the writer itself: for those it asks for
/// no memory. What was written is copied once, by whoever sends it; the writer is neither copied
/// nor moved.
// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): nobody reads what is not written
class ByteWriter {
 public:
  ByteWriter() = default;
  ~ByteWriter() = default;
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;
  ByteWriter(ByteWriter&&) = delete;
  ByteWriter& operator=(ByteWriter&&) = delete;

  void u8(std::uint8_t value) { number(value); }
  void u16(std::uint16_t value) { number(value); }
  void u32(std::uint32_t value) { number(value); }
  void u64(std::uint64_t value) { number(value); }
  void bytes(std::span<const std::byte> value) {
    if (value.empty()) return;
    std::memcpy(room(value.size()), value.data(), value.size());
  }
  void zeros(std::size_t count) {
    if (count > 0) std::memset(room(count), 0, count);
  }
  /// REQUIRES: text.size() <= 255.
  void text8(std::string_view text);
  /// REQUIRES: text.size() <= 65535.
  void text16(std::string_view text);

  /// Overwrites four bytes at `offset`. REQUIRES: offset + 4 <= size().
  void patch_u32(std::size_t offset, std::uint32_t value);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::byte> view() const { return {data_, size_}; }
  void reserve(std::size_t size) {
    if (size > capacity_) grow(size);
  }
  void clear() { size_ = 0; }

 private:
  template <class T>
  void number(T value) {
    std::memcpy(room(sizeof value), &value, sizeof value);
  }

  /// Uninitialised bytes at the end, which count as written.
  std::byte* room(std::size_t count) {
    if (capacity_ - size_ < count) grow(size_ + count);
    std::byte* const at = data_ + size_;
    size_ += count;
    return at;
  }
  void grow(std::size_t needed);

  static constexpr std::size_t kept_within = 256;

  std::array<std::byte, kept_within> within_;
  std::unique_ptr<std::byte[]> beyond_;
  std::byte* data_{within_.data()};
  std::size_t size_{0};
  std::size_t capacity_{kept_within};
};
// NOLINTEND(cppcoreguidelines-pro-type-member-init)

}  // namespace ringcast
