// SPDX-License-Identifier: Apache-2.0
//
// Sections of a few lines each.
#include "tools/ringlog-monitor/text_report.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "tools/ringlog-monitor/quantities.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t number_columns = 9;
constexpr std::size_t name_columns = 24;
constexpr std::size_t key_columns = 100;

std::string number(std::uint64_t value) {
  return right(short_number(static_cast<double>(value)), number_columns);
}

void append_rates(std::string& out, const Figures& figures) {
  constexpr std::array names = {"5 s", "1 min", "5 min", "15 min"};
  out += "per second      requests    bytes   errors\n";
  for (std::size_t i = 0; i < rate_spans.size(); ++i) {
    const auto rate = figures.rate(rate_spans.at(i));
    out += "  last " + left(names.at(i), 8) + right(short_rate(rate.requests), number_columns) +
           right(short_rate(rate.bytes), number_columns) +
           right(short_rate(rate.errors), number_columns) + "\n";
  }
}

void append_codes(std::string& out, const Figures& figures) {
  out += "status codes\n";
  const auto requests = static_cast<double>(figures.all().total.requests);
  for (std::size_t code = 0; code < figures.codes().size(); ++code) {
    const auto count = figures.codes().at(code);
    if (count == 0) continue;
    out += "  " + std::to_string(code) + right(std::to_string(count), 12) +
           right(percent(static_cast<double>(count) / requests), number_columns) + "\n";
  }
}

void append_percentiles(std::string& out, const Histogram& histogram, auto&& show) {
  out += "mean " + show(static_cast<std::uint64_t>(histogram.mean()));
  out += ", median " + show(histogram.percentile(0.5));
  out += ", 90 % " + show(histogram.percentile(0.9));
  out += ", 99 % " + show(histogram.percentile(0.99));
  out += ", max " + show(histogram.max()) + "\n";
}

std::string plain(std::uint64_t value) { return short_number(static_cast<double>(value)); }

void append_servers(std::string& out, const Figures& figures) {
  out +=
      "servers                   requests    bytes     4xx      5xx  errors  relative  document "
      "size\n";
  const double usual = figures.all().error_share();
  for (const auto& [name, server] : figures.servers().all()) {
    out += "  " + left(shown(name, name_columns), name_columns - 1) +
           number(server.total.requests) + number(server.total.bytes) + number(server.classes[4]) +
           number(server.classes[5]) + right(percent(server.error_share()), 8) +
           right(usual > 0 ? short_rate(server.error_share() / usual) : "-", number_columns) +
           "   ";
    append_percentiles(out, server.sizes, plain);
  }
  if (!figures.servers().is_exact()) out += "  more servers than the table holds are in (others)\n";
}

void append_top(std::string& out, const std::string& title, const Top& top, std::size_t rows) {
  out += title + " (" + std::to_string(top.size()) +
         (top.is_exact() ? " in all)\n" : " counted, rarer ones estimated)\n");
  for (const auto& entry : top.first(rows)) {
    out += right(std::to_string(entry.count), 10);
    if (entry.error > 0) out += " -" + std::to_string(entry.error);
    out += "  " + shown(entry.key, key_columns) + "\n";
  }
}

void append_visits(std::string& out, const Visits& visits) {
  const auto seconds = [](std::uint64_t value) {
    return short_duration(std::chrono::seconds(value));
  };
  out += "visits: " + std::to_string(visits.online()) + " going on, " +
         std::to_string(visits.ended()) + " ended";
  if (visits.ended_early() > 0) {
    out += " (" + std::to_string(visits.ended_early()) + " early, for want of room)";
  }
  out += "\n";
  if (visits.ended() == 0) return;
  out += "  length    ";
  append_percentiles(out, visits.seconds(), seconds);
  out += "  requests  ";
  append_percentiles(out, visits.requests(), plain);
}

void append_alerts(std::string& out, const std::deque<Alert>& alerts, std::size_t rows) {
  if (alerts.empty() || rows == 0) return;
  out += "alerts, the last ones\n";
  for (auto i = alerts.size() - std::min(rows, alerts.size()); i < alerts.size(); ++i) {
    out += "  " + alert_text(alerts[i]) + "\n";
  }
}

}  // namespace

void append_brief(std::string& out, const Figures& figures) {
  const auto now = figures.rate(rate_spans.front());
  const auto minute = figures.rate(rate_spans[1]);
  const auto& all = figures.all();
  out += utc(figures.now()) + "  requests/s " + short_rate(now.requests) + " now " +
         short_rate(minute.requests) + " 1m  bytes/s " + short_rate(now.bytes) + "  errors/s " +
         short_rate(now.errors) + "  total " + std::to_string(all.total.requests) + " requests " +
         short_number(static_cast<double>(all.total.bytes)) + " bytes " +
         std::to_string(all.total.errors) + " errors " + std::to_string(all.unparsed) +
         " unparsed  online " + std::to_string(figures.visits().online()) + "\n";
}

void append_report(std::string& out, const Analysis& analysis, std::size_t top) {
  const auto& figures = analysis.figures();
  const auto& all = figures.all();
  out += "lines " + std::to_string(all.lines) + ", requests " + std::to_string(all.total.requests) +
         ", bytes " + std::to_string(all.total.bytes) + ", errors " +
         std::to_string(all.total.errors) + " (" + percent(all.error_share()) + "), unparsed " +
         std::to_string(all.unparsed) + ", lost by publishers " + std::to_string(all.lost) + "\n";
  if (figures.since()) {
    out += "from " + utc(*figures.since()) + " to " + utc(figures.now()) + "\n";
  }
  append_rates(out, figures);
  append_codes(out, figures);
  if (all.latency.count() > 0) {
    out += "latency: ";
    append_percentiles(out, all.latency, short_latency);
  }
  append_servers(out, figures);
  append_top(out, "pages", figures.pages(), top);
  append_top(out, "clients", figures.clients(), top);
  append_top(out, "referrers", figures.referrers(), top);
  append_top(out, "user agents", figures.agents(), top);
  append_visits(out, figures.visits());
  append_alerts(out, analysis.recent_alerts(), top);
  if (all.unparsed > 0) out += "lines that did not parse, the last ones\n";
  for (const auto& line : figures.unparsed()) {
    out += "  " + shown(line.server, name_columns) + ": " + shown(line.text, key_columns) + "\n";
  }
}

std::string alert_text(const Alert& alert) {
  const std::string where = alert.server.empty() ? "all servers" : shown(alert.server, 64);
  const std::string what(to_string(alert.signal));
  const std::string rates = short_rate(alert.rate) + "/s, usual " + short_rate(alert.mean) + "/s";
  const std::string head = utc(alert.at) + " " + where + ": " + what + " ";
  if (alert.change == Change::over) return head + "as usual again, " + rates;
  return head + "unusually " + std::string(to_string(alert.change)) + ", " + rates;
}

}  // namespace ringcast::monitor
