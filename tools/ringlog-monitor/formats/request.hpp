// SPDX-License-Identifier: Apache-2.0
//
// Request: what the monitor wants to know of one log line. The views point into the line or
// into the parser that made it, and are valid until the next line. What a log format does not
// carry, or gives as "-", is not there.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringcast::monitor {

/// By the clock of the host that wrote the line: it may step back at every line.
using LogTime = std::chrono::sys_time<std::chrono::milliseconds>;

struct Request {
  std::string_view client;
  std::string_view method;
  std::string_view page;      ///< the path without its query
  std::string_view referrer;  ///< without "-"
  std::string_view agent;
  std::string_view server;  ///< virtual host, or HAProxy's BACKEND/SERVER
  std::optional<LogTime> time{};
  std::optional<std::uint16_t> status{};
  std::optional<std::uint64_t> bytes{};
  std::optional<std::chrono::microseconds> latency{};
};

}  // namespace ringcast::monitor
