// SPDX-License-Identifier: Apache-2.0
//
// Metrics, codes and servers.
#include <algorithm>
#include <utility>

#include "tools/ringlog-monitor/quantities.hpp"
#include "tools/ringlog-monitor/screen/content_tables.hpp"
#include "tools/ringlog-monitor/text_report.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t server_columns = 24;
constexpr std::size_t alerts_shown = 5;
constexpr std::size_t unparsed_shown = 5;
constexpr std::size_t line_columns = 200;
constexpr double bar_columns = 40;

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string classes_text(const ServerFigures& all) {
  constexpr std::array names = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  std::string text = "answers ";
  for (std::size_t i = 1; i <= names.size(); ++i) {
    const auto place = i % names.size();  // what has no class stands last
    if (place == 0 && all.classes[0] == 0) continue;
    text += std::string("  ") + names.at(place) + " " +
            short_number(static_cast<double>(all.classes.at(place))) + " (" +
            percent(share_of(all.classes.at(place), all.total.requests)) + ")";
  }
  return text;
}

std::string latency_text(const std::string& name, const Histogram& histogram) {
  const auto value = [&](double share) { return short_latency(histogram.percentile(share)); };
  return left(name, 24) + "median " + left(value(0.5), 9) + "90 % " + left(value(0.9), 9) +
         "99 % " + left(value(0.99), 9) + "max " + short_latency(histogram.max());
}

std::string size_text(const Histogram& sizes) {
  const auto value = [&](double share) {
    return short_number(static_cast<double>(sizes.percentile(share)));
  };
  return left("document size", 24) + "median " + left(value(0.5), 9) + "90 % " +
         left(value(0.9), 9) + "99 % " + left(value(0.99), 9) + "max " + value(1);
}

void add_alerts(Content& content, const Analysis& analysis) {
  const auto& recent = analysis.recent_alerts();
  content.foot.emplace_back();
  const auto going_on = analysis.alerts().current().size();
  content.foot.push_back(
      {std::to_string(going_on) + " alerts going on" +
           (recent.empty() ? std::string() : "; the last ones"),
       going_on > 0 ? Tone::alarm : Tone::plain});
  for (std::size_t i = 0; i < std::min(alerts_shown, recent.size()); ++i) {
    const auto& alert = recent[recent.size() - 1 - i];
    content.foot.push_back(
        {"  " + alert_text(alert), alert.change == Change::over ? Tone::good : Tone::alarm});
  }
}

void add_unparsed(Content& content, const Figures& figures) {
  const auto& lines = figures.unparsed();
  if (lines.empty()) return;
  content.foot.emplace_back();
  content.foot.push_back(
      {std::to_string(figures.all().unparsed) + " lines did not parse; the last ones",
       Tone::warning});
  for (std::size_t i = 0; i < std::min(unparsed_shown, lines.size()); ++i) {
    const auto& line = lines[lines.size() - 1 - i];
    content.foot.push_back(
        {"  " + shown(line.server, server_columns) + ": " + shown(line.text, line_columns)});
  }
}

std::string_view phrase_of(std::size_t code) {
  constexpr std::array phrases = {
      std::pair{200, "OK"},
      std::pair{201, "Created"},
      std::pair{204, "No Content"},
      std::pair{206, "Partial Content"},
      std::pair{301, "Moved Permanently"},
      std::pair{302, "Found"},
      std::pair{303, "See Other"},
      std::pair{304, "Not Modified"},
      std::pair{307, "Temporary Redirect"},
      std::pair{308, "Permanent Redirect"},
      std::pair{400, "Bad Request"},
      std::pair{401, "Unauthorized"},
      std::pair{403, "Forbidden"},
      std::pair{404, "Not Found"},
      std::pair{405, "Method Not Allowed"},
      std::pair{408, "Request Timeout"},
      std::pair{410, "Gone"},
      std::pair{413, "Content Too Large"},
      std::pair{416, "Range Not Satisfiable"},
      std::pair{429, "Too Many Requests"},
      std::pair{499, "client went away (nginx)"},
      std::pair{500, "Internal Server Error"},
      std::pair{502, "Bad Gateway"},
      std::pair{503, "Service Unavailable"},
      std::pair{504, "Gateway Timeout"}};
  for (const auto& [number, phrase] : phrases) {
    if (std::cmp_equal(number, code)) return phrase;
  }
  return "";
}

constexpr std::size_t first_client_error = 400;
constexpr std::size_t first_server_error = 500;

Tone tone_of_code(std::size_t code) {
  if (code >= first_server_error) return Tone::alarm;
  return code >= first_client_error ? Tone::warning : Tone::plain;
}

Row server_row(const std::string& name, const ServerFigures& server, const Figures& figures) {
  const auto now = figures.rate(server, rate_spans[0]);
  const auto minute = figures.rate(server, rate_spans[1]);
  const double usual = figures.all().error_share();
  const double relative = usual > 0 ? server.error_share() / usual : 0;
  Row row;
  row.cells = {
      text_cell(name),
      rate_cell(now.requests),
      rate_cell(minute.requests),
      rate_cell(now.bytes),
      count_cell(server.total.requests),
      count_cell(server.classes[4]),
      count_cell(server.classes[5]),
      share_cell(server.error_share()),
      rate_cell(relative),
      count_cell(server.sizes.percentile(0.5)),
      count_cell(server.sizes.percentile(0.9)),
      latency_cell(server.latency, 0.5),
      latency_cell(server.latency, 0.99),
      count_cell(server.unparsed),
      count_cell(server.lost)};
  constexpr double twice = 2;
  if (relative >= twice) row.tone = Tone::warning;
  return row;
}

}  // namespace

Content metrics_content(const Analysis& analysis) {
  const auto& figures = analysis.figures();
  const auto& all = figures.all();
  constexpr std::array spans = {"5 s", "1 min", "5 min", "15 min"};
  Content content;
  content.head = {
      {"requests " + std::to_string(all.total.requests) + "   bytes " +
       short_number(static_cast<double>(all.total.bytes)) + "   errors " +
       std::to_string(all.total.errors) + " (" + percent(all.error_share()) + ")   unparsed " +
       std::to_string(all.unparsed) + "   lost " + std::to_string(all.lost) + "   online " +
       std::to_string(figures.visits().online())},
      {classes_text(all)},
      {""}};
  content.columns = {
      {"per second, last", 16, true}, {"requests", 10}, {"bytes", 10}, {"errors", 10}};
  for (std::size_t i = 0; i < rate_spans.size(); ++i) {
    const auto rate = figures.rate(rate_spans.at(i));
    content.rows.push_back(
        {{{spans.at(i)}, rate_cell(rate.requests), rate_cell(rate.bytes), rate_cell(rate.errors)}});
  }
  content.foot.emplace_back();
  if (all.latency.count() > 0) {
    content.foot.push_back({latency_text("latency, last minute", figures.recent_latency())});
    content.foot.push_back({latency_text("latency, all", all.latency)});
  }
  content.foot.push_back({size_text(all.sizes)});
  add_alerts(content, analysis);
  add_unparsed(content, figures);
  return content;
}

Content codes_content(const Figures& figures) {
  const auto& all = figures.all();
  Content content;
  content.head = {{classes_text(all)}};
  content.columns = {
      {"code", 5}, {"requests", 12}, {"share", 8}, {"meaning", 26, true}, {"", 0, true}};
  for (std::size_t code = 0; code < figures.codes().size(); ++code) {
    const auto count = figures.codes().at(code);
    if (count == 0) continue;
    const double share = share_of(count, all.total.requests);
    Row row;
    row.cells = {
        {std::to_string(code), static_cast<double>(code)},
        {std::to_string(count), static_cast<double>(count)},
        share_cell(share),
        text_cell(phrase_of(code)),
        {std::string(static_cast<std::size_t>(share * bar_columns), '#')}};
    row.tone = tone_of_code(code);
    content.rows.push_back(std::move(row));
  }
  return content;
}

Content servers_content(const Figures& figures) {
  Content content;
  content.head = {
      {"servers: " + std::to_string(figures.servers().all().size()) +
       (figures.servers().is_exact() ? "" : "; further ones are in (others)")}};
  content.columns = {
      {"server", server_columns, true},
      {"req/s", 7},
      {"1 min", 7},
      {"bytes/s", 8},
      {"requests", 9},
      {"4xx", 7},
      {"5xx", 7},
      {"errors", 7},
      {"relative", 9},
      {"size 50%", 9},
      {"90%", 7},
      {"time 50%", 9},
      {"99%", 8},
      {"unparsed", 9},
      {"lost", 6}};
  for (const auto& [name, server] : figures.servers().all()) {
    content.rows.push_back(server_row(name, server, figures));
  }
  return content;
}

}  // namespace ringcast::monitor
