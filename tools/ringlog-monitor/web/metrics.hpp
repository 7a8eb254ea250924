// SPDX-License-Identifier: Apache-2.0
//
// What /metrics says: the figures of every group by server, and the monitor's own.
#pragma once

#include <chrono>
#include <string>

#include "tools/ringlog-monitor/group_analyses.hpp"
#include "tools/ringlog-monitor/ring_state.hpp"
#include "tools/ringlog-monitor/web/http_server.hpp"

namespace ringcast::monitor {

struct MetricsSource {
  const GroupAnalyses& analyses;
  const RingState* ring{nullptr};  ///< null when a file is read
  const HttpServer::Counters& http;
  std::chrono::system_clock::time_point started;  ///< when this process began
};

/// In the OpenMetrics format. Within a group, sums over a label are totals; a line that was sent
/// to several groups counts in each.
std::string metrics_text(const MetricsSource& source);

}  // namespace ringcast::monitor
