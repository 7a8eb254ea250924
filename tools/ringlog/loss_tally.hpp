// SPDX-License-Identifier: Apache-2.0
//
// LossTally: what was dropped and not yet told to the operator. While lines are dropped again
// and again it is told at once and then once a second, with their number: not line by line, into
// a log that may lie on the disk that is full.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tools/ringlog/group_packet.hpp"

namespace ringcast::ringlog {

class LossTally {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  void add(std::uint64_t lines, std::uint64_t bytes) {
    untold_.lines += lines;
    untold_.bytes += bytes;
  }
  /// What is to be told now: all that was added since; nothing: there is nothing, or it was told
  /// a moment ago.
  std::optional<DropNote> take(Instant now) {
    constexpr std::chrono::seconds pause{1};
    if (told_at_ && now - *told_at_ < pause) return std::nullopt;
    auto rest = take_rest();
    if (rest) told_at_ = now;
    return rest;
  }
  /// The same at the end, however short ago.
  std::optional<DropNote> take_rest() {
    if (untold_.lines == 0) return std::nullopt;
    const auto rest = untold_;
    untold_ = {};
    return rest;
  }

 private:
  DropNote untold_;
  std::optional<Instant> told_at_;
};

}  // namespace ringcast::ringlog
