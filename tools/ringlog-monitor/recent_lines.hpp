// SPDX-License-Identifier: Apache-2.0
//
// RecentLines: the last lines as they came, for people to look at. Bounded in number and bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

struct RecentLine {
  std::uint64_t seq{0};  ///< 1 for the first line that came
  Instant at{};
  std::string server;
  std::string text;  ///< cut at RecentLines::line_bytes_max
  bool is_cut{false};
};

class RecentLines {
 public:
  static constexpr std::size_t line_bytes_max = 4096;
  static constexpr std::size_t bytes_max = std::size_t{2} << 20U;

  /// 0 keeps none.
  explicit RecentLines(std::size_t lines_max) : lines_max_(lines_max) {}

  void add(std::string_view text, std::string_view server, Instant at);
  /// The oldest first.
  [[nodiscard]] const std::deque<RecentLine>& all() const { return lines_; }
  /// Of the last line; 0 when none came.
  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }

 private:
  RecentLine take_oldest();

  std::size_t lines_max_;
  std::size_t bytes_{0};
  std::uint64_t last_seq_{0};
  std::deque<RecentLine> lines_;
};

}  // namespace ringcast::monitor
