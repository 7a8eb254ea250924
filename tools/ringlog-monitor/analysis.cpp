// SPDX-License-Identifier: Apache-2.0
//
// The order of things for one line: time, alerts, figures.
#include "tools/ringlog-monitor/analysis.hpp"

#include <utility>

namespace ringcast::monitor {

Analysis::Analysis(LineParser parser, const AnalysisOptions& options)
    : parser_(std::move(parser)),
      server_(options.server),
      time_(options.time),
      figures_(options.limits),
      recent_lines_(options.recent_lines),
      alerts_(options.alerts) {}

std::string_view Analysis::server_of(const Origin& origin, std::string_view vhost) const {
  switch (server_) {
    case ServerKey::daemon:
      return origin.daemon;
    case ServerKey::publisher:
      return origin.publisher;
    case ServerKey::vhost:
      return vhost.empty() ? origin.publisher : vhost;
  }
  return origin.daemon;
}

void Analysis::add_line(std::string_view line, const Origin& origin, Instant arrival) {
  add_parsed(parser_.parse(line), line, origin, arrival);
}

void Analysis::add_parsed(
    const std::optional<Request>& request,
    std::string_view line,
    const Origin& origin,
    Instant arrival) {
  const auto stamp = request ? request->time : std::nullopt;
  const auto now = time_ == TimeSource::log ? clock_.advance(stamp) : arrival;
  step(now);
  const auto server = server_of(origin, request ? request->server : std::string_view());
  if (request) {
    figures_.add(*request, server, now);
  } else {
    figures_.add_unparsed(line, server, now);
  }
  recent_lines_.add(line, server, now);
}

void Analysis::add_lost(std::uint64_t lines, const Origin& origin, Instant arrival) {
  const auto now = time_ == TimeSource::log ? clock_.advance(std::nullopt) : arrival;
  figures_.add_lost(lines, server_of(origin, {}), now);
}

void Analysis::advance(Instant arrival) {
  if (time_ == TimeSource::log) return;
  step(arrival);
  figures_.advance(arrival);
}

void Analysis::step(Instant now) {
  for (auto& alert : alerts_.advance(now, figures_)) {
    if (recent_alerts_.size() >= alerts_kept) recent_alerts_.pop_front();
    recent_alerts_.push_back(alert);
    new_alerts_.push_back(std::move(alert));
  }
}

std::vector<Alert> Analysis::take_alerts() { return std::exchange(new_alerts_, {}); }

}  // namespace ringcast::monitor
