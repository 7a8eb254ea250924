// SPDX-License-Identifier: Apache-2.0
//
// Chain: a running hash over the lines of a file, in order. Equal chains mean equal files as
// far as they go; a chain can be stored and taken up again, unlike the state of a hash.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringcast::ringlog {

/// A place in a file, behind a whole line.
struct FilePoint {
  std::uint64_t length{0};
  std::uint64_t lines{0};  ///< data lines, markers not counted
  std::uint64_t chain{0};

  bool operator==(const FilePoint&) const = default;
};

/// The chain after one more line (without its newline). The empty file has chain 0.
std::uint64_t chain_line(std::uint64_t chain, std::string_view line);
/// The chain after whole lines, each with its newline. REQUIRES: text ends in one, or is empty.
std::uint64_t chain_text(std::uint64_t chain, std::string_view text);

}  // namespace ringcast::ringlog
