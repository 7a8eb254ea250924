// SPDX-License-Identifier: Apache-2.0
//
// The single tabs; make_content() is how others get them.
#pragma once

#include "tools/ringlog-monitor/screen/content.hpp"

namespace ringcast::monitor {

Content metrics_content(const Analysis& analysis);
Content codes_content(const Figures& figures);
Content servers_content(const Figures& figures);
Content pages_content(const Figures& figures);
/// 0: clients, 1: referrers, 2: user agents.
Content clients_content(const Figures& figures, std::size_t table);
/// 0: visitors, 1: the pages they are on.
Content online_content(const Figures& figures, std::size_t table);
/// `ring` may be null.
Content ring_content(const RingState* ring);

/// Cells of numbers, for the tables above.
Cell count_cell(std::uint64_t value);
Cell rate_cell(double value);
Cell share_cell(double value);
Cell text_cell(std::string_view bytes);
/// A percentile; a dash when nothing is known.
Cell latency_cell(const Histogram& microseconds, double share);

}  // namespace ringcast::monitor
