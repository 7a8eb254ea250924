// SPDX-License-Identifier: Apache-2.0
//
// Numbers and times as they stand in logs. Everything is checked to its last byte; what does
// not fit is nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/ringlog-monitor/formats/request.hpp"

namespace ringcast::monitor {

/// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);
/// "12" or "12.345" times `unit`, rounded down; at most 2^53.
std::optional<std::int64_t> parse_decimal(std::string_view text, std::int64_t unit);

/// 17/May/2015:10:05:03 +0000; the zone may be missing, a fraction may follow the seconds.
std::optional<LogTime> parse_common_time(std::string_view text);
/// 2015-05-17T10:05:03+00:00, also with a blank for T, a fraction, Z or no zone at all.
std::optional<LogTime> parse_iso8601(std::string_view text);

/// What stands before the question mark.
std::string_view without_query(std::string_view target);

}  // namespace ringcast::monitor
