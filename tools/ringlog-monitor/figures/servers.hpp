// SPDX-License-Identifier: Apache-2.0
//
// Servers: the figures of each server by itself. Exact up to a number of servers; those that
// come later share one entry, named others_name, and the table says so.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tools/ringlog-monitor/figures/histogram.hpp"
#include "tools/ringlog-monitor/figures/rate_window.hpp"

namespace ringcast::monitor {

/// By the first digit of the status: 1xx to 5xx; in place 0 what has no such status.
using Classes = std::array<std::uint64_t, 6>;

struct ServerFigures {
  std::uint64_t lines{0};
  std::uint64_t unparsed{0};  ///< of the lines: not understood
  std::uint64_t lost{0};      ///< lines that its publisher dropped or found too long
  Tally total;
  Classes classes{};
  RateWindow window;
  Histogram sizes;    ///< of documents, in bytes
  Histogram latency;  ///< in microseconds

  /// Errors as a share of requests, 0 to 1.
  [[nodiscard]] double error_share() const;
};

class Servers {
 public:
  static constexpr std::string_view others_name = "(others)";
  static constexpr std::size_t name_bytes_max = 255;

  explicit Servers(std::size_t servers_max) : servers_max_(servers_max) {}

  ServerFigures& find(std::string_view name);
  [[nodiscard]] bool is_exact() const { return !servers_.contains(others_name); }
  [[nodiscard]] const auto& all() const { return servers_; }

 private:
  std::size_t servers_max_;
  std::map<std::string, ServerFigures, std::less<>> servers_;
};

}  // namespace ringcast::monitor
