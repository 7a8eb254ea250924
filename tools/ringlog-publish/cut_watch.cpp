// SPDX-License-Identifier: Apache-2.0
//
// Counting the longest messages.
#include "tools/ringlog-publish/cut_watch.hpp"

#include <algorithm>
#include <array>

namespace ringcast::ringlog {

namespace {

constexpr std::uint64_t told_at = 3;

bool is_usual_limit(std::size_t bytes) {
  constexpr std::array<std::size_t, 4> limits = {1024, 2048, 4096, 8192};
  return std::any_of(limits.begin(), limits.end(), [bytes](std::size_t limit) {
    return bytes == limit || bytes + 1 == limit || bytes == limit + 1;
  });
}

}  // namespace

std::optional<std::size_t> CutWatch::see(std::size_t bytes) {
  if (bytes < longest_) return std::nullopt;
  if (bytes > longest_) {
    longest_ = bytes;
    count_ = 0;
    is_told_ = false;
  }
  ++count_;
  if (is_told_ || count_ < told_at || !is_usual_limit(bytes)) return std::nullopt;
  is_told_ = true;
  return bytes;
}

}  // namespace ringcast::ringlog
