// SPDX-License-Identifier: Apache-2.0
//
// The monitor's tables by name, as the page and scripts get them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/web/table.hpp"

namespace ringcast::monitor {

inline constexpr std::array<std::string_view, 10> table_names = {
    "servers",
    "codes",
    "pages",
    "clients",
    "referrers",
    "agents",
    "online",
    "places",
    "alerts",
    "unparsed"};

/// Visitors online beyond so many, those idle for longest, are not looked through.
inline constexpr std::size_t table_rows_max = 10000;

/// Nothing when there is no table of that name.
std::optional<Table> make_table(std::string_view name, const Analysis& analysis);

}  // namespace ringcast::monitor
