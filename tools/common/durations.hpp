// SPDX-License-Identifier: Apache-2.0
//
// Durations as people type them: a whole number and a unit, "500ms", "2s", "1m", "1h".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

namespace ringcast::tools {

/// The longest duration accepted: 1000 days, far from the ends of every clock.
inline constexpr std::chrono::hours duration_max{24 * 1000};

/// Errors: invalid_argument, with the forms that are understood.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest exact form that parse_duration reads: 1500ms, 90s, 2m.
std::string to_string(std::chrono::milliseconds duration);

}  // namespace ringcast::tools
