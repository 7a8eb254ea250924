// SPDX-License-Identifier: Apache-2.0
//
// Destinations: the GROUP[,GROUP...] argument of publish, taken apart and checked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

namespace ringcast::tools {

inline constexpr std::size_t destinations_max = 64;

/// 1 to 64 groups or private groups. Errors: invalid_argument.
Result<std::vector<std::string>> parse_destinations(std::string_view text);

}  // namespace ringcast::tools
