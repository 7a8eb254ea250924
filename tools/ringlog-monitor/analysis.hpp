// SPDX-License-Identifier: Apache-2.0
//
// Analysis: from lines to figures. Parses each line, chooses the server and the time it counts
// for, and asks for alerts at every step of time. No I/O: the time of arrival is handed in.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-monitor/figures/alerts.hpp"
#include "tools/ringlog-monitor/figures/figures.hpp"
#include "tools/ringlog-monitor/figures/log_clock.hpp"
#include "tools/ringlog-monitor/formats/line_parser.hpp"
#include "tools/ringlog-monitor/line_sink.hpp"
#include "tools/ringlog-monitor/recent_lines.hpp"

namespace ringcast::monitor {

/// What stands for a server in the figures.
enum class ServerKey { daemon, publisher, vhost };
/// Which time rates and visits go by.
enum class TimeSource { arrival, log };

struct AnalysisOptions {
  Limits limits;
  ServerKey server{ServerKey::daemon};
  TimeSource time{TimeSource::arrival};
  Alerts::Options alerts;
  std::size_t recent_lines{0};  ///< how many are kept to be looked at
};

class Analysis : public LineSink {
 public:
  static constexpr std::size_t alerts_kept = 64;

  Analysis(LineParser parser, const AnalysisOptions& options);

  void add_line(std::string_view line, const Origin& origin, Instant arrival) override;
  void add_lost(std::uint64_t lines, const Origin& origin, Instant arrival) override;
  /// A line that was parsed already. REQUIRES: as add_line().
  void add_parsed(
      const std::optional<Request>& request,
      std::string_view line,
      const Origin& origin,
      Instant arrival);
  /// Time goes on, as in add_line(); with TimeSource::log only lines can tell.
  void advance(Instant arrival);

  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const Alerts& alerts() const { return alerts_; }
  /// The last ones, the oldest first.
  [[nodiscard]] const std::deque<Alert>& recent_alerts() const { return recent_alerts_; }
  [[nodiscard]] const RecentLines& recent_lines() const { return recent_lines_; }
  [[nodiscard]] const LineParser& parser() const { return parser_; }
  [[nodiscard]] TimeSource time_source() const { return time_; }
  /// Alerts since the last call.
  std::vector<Alert> take_alerts();

 private:
  [[nodiscard]] std::string_view server_of(const Origin& origin, std::string_view vhost) const;
  void step(Instant now);

  LineParser parser_;
  ServerKey server_;
  TimeSource time_;
  LogClock clock_;
  Figures figures_;
  RecentLines recent_lines_;
  Alerts alerts_;
  std::vector<Alert> new_alerts_;
  std::deque<Alert> recent_alerts_;
};

}  // namespace ringcast::monitor
