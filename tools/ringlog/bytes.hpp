// SPDX-License-Identifier: Apache-2.0
//
// Little-endian bytes for ringlog's own messages: PayloadWriter appends, PayloadReader takes
// and remembers the first failure, so that a decoder checks once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::ringlog {

class PayloadWriter {
 public:
  template <class T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(
          static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 255U));
    }
  }
  void raw(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), view.begin(), view.end());
  }
  /// A u16 length, then the bytes. REQUIRES: at most 65535 of them.
  void short_text(std::string_view text) {
    number(static_cast<std::uint16_t>(text.size()));
    raw(text);
  }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class PayloadReader {
 public:
  /// `bytes` must outlive the reader and the views it returns.
  explicit PayloadReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    const auto part = take(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < part.size(); ++i) {
      value |= std::to_integer<std::uint64_t>(part[i]) << (8 * i);
    }
    return static_cast<T>(value);
  }
  std::string_view raw(std::size_t bytes) {
    const auto part = take(bytes);
    // The bytes are text to the caller; aliasing through char is what char is for.
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string_view short_text() { return raw(number<std::uint16_t>()); }

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  /// Nothing was taken beyond the end.
  [[nodiscard]] bool ok() const { return ok_; }
  /// And nothing is left over.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::span<const std::byte> take(std::size_t bytes) {
    if (bytes > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto part = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return part;
  }

  std::span<const std::byte> rest_;
  bool ok_{true};
};

}  // namespace ringcast::ringlog
