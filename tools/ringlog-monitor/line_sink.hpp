// SPDX-License-Identifier: Apache-2.0
//
// LineSink: where the sources of log lines hand them to. An Analysis is one; GroupAnalyses is
// another one, with an Analysis for each group.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

/// Where a line comes from.
struct Origin {
  std::string_view daemon;
  std::string_view publisher;
  std::span<const std::string> groups{};  ///< it was sent to; none for a file
};

class LineSink {
 public:
  LineSink() = default;
  LineSink(const LineSink&) = delete;
  LineSink& operator=(const LineSink&) = delete;
  virtual ~LineSink() = default;

  /// REQUIRES, as for the next: `arrival` is not before that of an earlier call.
  virtual void add_line(std::string_view line, const Origin& origin, Instant arrival) = 0;
  /// Lines that no log has, by the word of their publisher.
  virtual void add_lost(std::uint64_t lines, const Origin& origin, Instant arrival) = 0;

 protected:
  LineSink(LineSink&&) = default;
  LineSink& operator=(LineSink&&) = default;
};

}  // namespace ringcast::monitor
