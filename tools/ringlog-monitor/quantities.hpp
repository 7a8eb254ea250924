// SPDX-License-Identifier: Apache-2.0
//
// Numbers and times as people read them, for lines and tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

/// Up to five characters: 999, 1.2k, 34.5k, 678k, 9.1M.
std::string short_number(double value);
/// A rate: one decimal below 1000, then as short_number.
std::string short_rate(double per_second);
/// 12.3%
std::string percent(double share);
/// 850us, 12.3ms, 4.56s
std::string short_latency(std::uint64_t microseconds);
/// 45s, 12:34, 3:05:10
std::string short_duration(std::chrono::seconds duration);
/// 2026-11-29T01:14:31Z
std::string utc(Instant instant);
std::string clock_time(Instant instant);

/// At least so many columns, filled with blanks; text that is longer stays whole.
std::string right(std::string_view text, std::size_t columns);
std::string left(std::string_view text, std::size_t columns);

/// How many columns a text in UTF-8 takes, one for each character.
std::size_t columns_of(std::string_view text);
/// Text in UTF-8, cut to so many columns; "~" marks a cut.
std::string fitted(std::string_view text, std::size_t columns);
/// Bytes of a log as text that cannot drive a terminal, cut to so many columns; "~" marks a cut.
std::string shown(std::string_view bytes, std::size_t columns);

}  // namespace ringcast::monitor
