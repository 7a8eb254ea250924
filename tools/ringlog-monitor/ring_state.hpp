// SPDX-License-Identifier: Apache-2.0
//
// RingState: what the monitor knows of its own session and its ring, for those who show it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/configuration.hpp"
#include "ringcast/names.hpp"
#include "ringcast/status.hpp"

#include "tools/ringlog-monitor/ring_lines.hpp"

namespace ringcast::monitor {

struct RingState {
  std::string session;  ///< our name; empty while there is no session
  std::uint64_t sessions{0};
  std::string last_error;
  std::optional<Configuration> configuration;
  std::map<std::string, std::vector<MemberName>> members;  ///< of the groups we are in
  std::optional<NodeStatus> status;                        ///< as last asked for
  RingLines::Counters counters;
};

}  // namespace ringcast::monitor
