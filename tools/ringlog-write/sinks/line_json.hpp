// SPDX-License-Identifier: Apache-2.0
//
// A line with its origin for programs: as the JSON object of exec and stdout sinks, and its time.
#pragma once

#include <cstdint>
#include <string>

#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

/// One object on one line, with its newline.
std::string line_json(const SinkLine& line, const std::string& group);

/// "2026-01-02T03:04:05.678Z".
std::string iso_time(std::int64_t time_ms);

}  // namespace ringcast::ringlog
