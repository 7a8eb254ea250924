// SPDX-License-Identifier: Apache-2.0
//
// Field: one value of a log line, and what it sets in a Request. A value that is not of the
// field's form makes the whole line one that does not parse.
#pragma once

#include <string_view>

#include "tools/ringlog-monitor/formats/request.hpp"

namespace ringcast::monitor {

enum class Field {
  ignored,
  client,
  time_common,   ///< 17/May/2015:10:05:03 +0000
  time_iso8601,  ///< 2015-05-17T10:05:03+00:00
  time_seconds,  ///< since 1970, with or without a fraction
  time_milliseconds,
  time_microseconds,
  request,  ///< GET /path?query HTTP/1.1
  method,
  page,
  query,  ///< with or without its question mark; behind a page it is part of that
  status,
  bytes,          ///< of the document
  bytes_on_wire,  ///< with headers; counts where the format has no `bytes`
  referrer,
  agent,
  latency_seconds,  ///< with or without a fraction
  latency_milliseconds,
  latency_microseconds,
  server,
};

/// False when `value` is not of the field's form. "-" is absence for every field.
bool assign(Request& request, Field field, std::string_view value);

}  // namespace ringcast::monitor
