// SPDX-License-Identifier: Apache-2.0
//
// The figures as one JSON object on one line. Names are a promise to scripts: fields may be
// added, none changes its meaning.
#pragma once

#include <string>

#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/ring_state.hpp"

namespace ringcast::monitor {

struct JsonReport {
  const Analysis& analysis;
  const RingState* ring{nullptr};  ///< null when a file is read
  std::size_t top{10};             ///< how many of each table
  bool is_final{false};
};

/// Appends the object and a newline.
void append_json(std::string& out, const JsonReport& report);
/// One alert: {"event":"alert",...}, without a newline.
std::string alert_json(const Alert& alert);

}  // namespace ringcast::monitor
