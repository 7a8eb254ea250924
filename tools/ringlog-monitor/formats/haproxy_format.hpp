// SPDX-License-Identifier: Apache-2.0
//
// HAProxy's `option httplog`, with or without a syslog head before it and captured headers in
// braces. A request that was cut off (HAProxy's `len`) is a request all the same.
#pragma once

#include <string_view>

#include "tools/ringlog-monitor/formats/request.hpp"

namespace ringcast::monitor {

/// The whole line, or false. `request` is to be empty before and is undefined after a failure.
bool match_haproxy(std::string_view line, Request& request);

}  // namespace ringcast::monitor
