// SPDX-License-Identifier: Apache-2.0
//
// Figures: everything the monitor knows about the lines it was given, in bounded memory. It
// does no I/O and reads no clock: lines come parsed, with the time at which they count.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "tools/ringlog-monitor/figures/servers.hpp"
#include "tools/ringlog-monitor/figures/time_line.hpp"
#include "tools/ringlog-monitor/figures/top.hpp"
#include "tools/ringlog-monitor/figures/visits.hpp"
#include "tools/ringlog-monitor/formats/request.hpp"

namespace ringcast::monitor {

struct Limits {
  std::size_t counters{8192};  ///< of each of the four tables of Top
  std::size_t servers{256};
  std::size_t visits{65536};
  std::chrono::milliseconds visit_timeout{std::chrono::minutes(30)};
  std::size_t clicks{0};  ///< requests whose place in a visit is kept; 0: none
};

/// A line that no format fits, for people to look at.
struct UnparsedLine {
  std::string server;
  std::string text;  ///< cut at 512 bytes
};

class Figures {
 public:
  static constexpr std::size_t statuses = 1000;
  static constexpr std::size_t unparsed_kept = 16;
  static constexpr std::size_t recent_seconds = 900;
  static constexpr std::size_t history_points = 1024;

  explicit Figures(const Limits& limits);

  /// A line of that server. REQUIRES: now is not before that of an earlier call.
  void add(const Request& request, std::string_view server, Instant now);
  void add_unparsed(std::string_view line, std::string_view server, Instant now);
  /// Lines that are in no log: the publisher says that it dropped them.
  void add_lost(std::uint64_t lines, std::string_view server, Instant now);
  /// Time goes on without lines.
  void advance(Instant now);

  /// When the first line came; nothing before, and while no line said what time it is.
  [[nodiscard]] std::optional<Instant> since() const;
  /// The time of the last call.
  [[nodiscard]] Instant now() const { return now_; }
  /// Per second, over one of rate_spans.
  [[nodiscard]] Rate rate(std::chrono::seconds span) const { return rate(all_, span); }
  [[nodiscard]] Rate rate(const ServerFigures& server, std::chrono::seconds span) const;

  /// Of all servers together.
  [[nodiscard]] const ServerFigures& all() const { return all_; }
  [[nodiscard]] const Servers& servers() const { return servers_; }
  /// The last quarter of an hour by seconds.
  [[nodiscard]] const TimeLine& recent() const { return recent_; }
  /// All the time there was.
  [[nodiscard]] const TimeLine& history() const { return history_; }
  [[nodiscard]] Histogram recent_latency() const { return recent_latency_.recent(now_); }
  [[nodiscard]] const std::array<std::uint64_t, statuses>& codes() const { return codes_; }
  [[nodiscard]] const Top& pages() const { return pages_; }
  [[nodiscard]] const Top& clients() const { return clients_; }
  [[nodiscard]] const Top& referrers() const { return referrers_; }
  [[nodiscard]] const Top& agents() const { return agents_; }
  [[nodiscard]] const Visits& visits() const { return visits_; }
  /// The last ones, the oldest first.
  [[nodiscard]] const std::deque<UnparsedLine>& unparsed() const { return unparsed_; }

 private:
  void begin(Instant now);
  void add_to(ServerFigures& server, const Request& request) const;
  void rank(const Request& request, std::string_view server);

  Instant since_{};
  Instant now_{};
  ServerFigures all_;
  Servers servers_;
  RecentHistogram recent_latency_;
  TimeLine recent_{recent_seconds, TimeLine::WhenFull::forget};
  TimeLine history_{history_points, TimeLine::WhenFull::widen};
  std::array<std::uint64_t, statuses> codes_{};
  Top pages_;
  Top clients_;
  Top referrers_;
  Top agents_;
  Visits visits_;
  std::deque<UnparsedLine> unparsed_;
};

}  // namespace ringcast::monitor
