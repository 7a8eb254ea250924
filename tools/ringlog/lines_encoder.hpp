// SPDX-License-Identifier: Apache-2.0
//
// LinesEncoder: a record of lines, written straight into the bytes that are sent, so that a
// line on its way through a publisher is copied once. Gives the same bytes as encode(Record).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tools/ringlog/producer.hpp"

namespace ringcast::ringlog {

class LinesEncoder {
 public:
  struct Options {
    int packing_level{0};       ///< of zstd; 0: not packed
    bool wants_receipt{false};  ///< writers tell the publisher once they have synced it
  };

  LinesEncoder(Producer producer, Options options);

  /// REQUIRES: no newline in it.
  void add(std::string_view line);
  /// The record; nothing is in the encoder then. REQUIRES: not empty.
  std::vector<std::byte> take(std::uint64_t first_seq);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// Bytes of the lines so far as they stand in a record that is not packed.
  [[nodiscard]] std::size_t bytes() const { return empty() ? 0 : bytes_.size() - head_.size(); }

 private:
  std::vector<std::byte> packed() const;

  Options options_;
  std::vector<std::byte> head_;  // with zeros in the place of first number and count
  std::vector<std::byte> bytes_;
  std::size_t reserve_{0};
  std::uint32_t count_{0};
};

}  // namespace ringcast::ringlog
