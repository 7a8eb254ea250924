// SPDX-License-Identifier: Apache-2.0
//
// CutWatch: notices a sender that cuts long messages. Programs cut at 1024, 2048, 4096 or 8192
// bytes, give or take their line end; several messages of exactly such a length, and none
// longer, are no chance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace ringcast::ringlog {

class CutWatch {
 public:
  /// A message came, with or without its line end. Returns the length, once, when messages
  /// seem to be cut there.
  std::optional<std::size_t> see(std::size_t bytes);

  /// Messages of a length at which there seems to be a cut.
  [[nodiscard]] std::uint64_t suspected() const { return is_told_ ? count_ : 0; }

 private:
  std::size_t longest_{0};
  std::uint64_t count_{0};  // of the longest
  bool is_told_{false};
};

}  // namespace ringcast::ringlog
