// SPDX-License-Identifier: Apache-2.0
//
// Keep: how much of its file a writer keeps. What is neither among the newest bytes nor younger
// than the time is released. Releasing costs a new snapshot of the sidecar, so a little more is
// left in place until it pays.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ringcast::ringlog {

inline constexpr std::uint64_t keep_bytes_min = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t keep_bytes_max = std::uint64_t{1} << 50U;

struct Keep {
  std::uint64_t bytes{0};             ///< 0: however many
  std::chrono::milliseconds time{0};  ///< 0: however old

  bool operator==(const Keep&) const = default;
  [[nodiscard]] bool is_limited() const { return bytes > 0 || time.count() > 0; }

  /// Lines with so many bytes behind them, before which others were written at that time, may go.
  [[nodiscard]] bool is_over(
      std::uint64_t bytes_behind, std::int64_t written_before_ms, std::int64_t now_ms) const {
    const bool is_old =
        time.count() > 0 && written_before_ms > 0 && written_before_ms <= now_ms - time.count();
    return is_old || (bytes > 0 && bytes_behind >= bytes);
  }
  /// It is not over by a trifle only.
  [[nodiscard]] bool is_far_over(
      std::uint64_t bytes_behind, std::int64_t written_before_ms, std::int64_t now_ms) const {
    constexpr std::uint64_t trifle = std::uint64_t{64} << 10U;
    const auto late_ms = now_ms - time.count() / 16;
    return Keep{bytes, {}}.is_over(
               bytes_behind - std::min(bytes_behind, std::max(bytes / 16, trifle)), 0, now_ms) ||
           Keep{0, time}.is_over(0, written_before_ms, late_ms);
  }
};

}  // namespace ringcast::ringlog
