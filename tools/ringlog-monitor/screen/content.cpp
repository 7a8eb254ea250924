// SPDX-License-Identifier: Apache-2.0
//
// Tabs by name, and the tables of keys.
#include "tools/ringlog-monitor/screen/content.hpp"

#include "tools/ringlog-monitor/quantities.hpp"
#include "tools/ringlog-monitor/screen/content_tables.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t rows_max = 10000;  // more are not looked through by hand
constexpr std::size_t text_columns_max = 400;
constexpr std::array clients_tables = {"clients", "referrers", "user agents"};
constexpr std::array online_tables = {"visitors", "pages"};

Content top_content(const Top& top, const std::string& title, std::uint64_t requests) {
  Content content;
  const std::string exactness =
      top.is_exact() ? ", counted exactly"
                     : " have a counter; the count of a rarer one may be too high by its error";
  content.head.push_back({std::to_string(top.size()) + " " + title + exactness});
  content.columns = {{"requests", 10}, {"error", 8}, {"share", 7}, {"bytes", 8}, {title, 0, true}};
  for (const auto& entry : top.first(rows_max)) {
    const auto share =
        requests == 0 ? 0 : static_cast<double>(entry.count) / static_cast<double>(requests);
    content.rows.push_back(
        {{{std::to_string(entry.count), static_cast<double>(entry.count)},
          entry.error == 0 ? Cell{} : count_cell(entry.error),
          share_cell(share),
          count_cell(entry.bytes),
          text_cell(entry.key)}});
  }
  return content;
}

std::string seconds_text(std::uint64_t value) {
  return short_duration(std::chrono::seconds(value));
}

void add_visits_head(Content& content, const Visits& visits) {
  std::string text = std::to_string(visits.online()) + " online, " +
                     std::to_string(visits.ended()) + " visits ended";
  if (visits.ended_early() > 0) {
    text += " (" + std::to_string(visits.ended_early()) + " early, for want of room)";
  }
  content.head.push_back({text});
  const auto& seconds = visits.seconds();
  const auto& requests = visits.requests();
  if (seconds.count() == 0) return;
  content.head.push_back(
      {"they lasted " + seconds_text(seconds.percentile(0.5)) + " (median), " +
       seconds_text(seconds.percentile(0.9)) + " (90 %), " + seconds_text(seconds.max()) +
       " at most; requests " + std::to_string(requests.percentile(0.5)) + ", " +
       std::to_string(requests.percentile(0.9)) + ", " + std::to_string(requests.max())});
}

}  // namespace

Cell count_cell(std::uint64_t value) {
  return {short_number(static_cast<double>(value)), static_cast<double>(value)};
}
Cell rate_cell(double value) { return {short_rate(value), value}; }
Cell share_cell(double value) { return {percent(value), value}; }
Cell text_cell(std::string_view bytes) { return {shown(bytes, text_columns_max)}; }
Cell latency_cell(const Histogram& microseconds, double share) {
  if (microseconds.count() == 0) return {"-"};
  const auto value = microseconds.percentile(share);
  return {short_latency(value), static_cast<double>(value)};
}

std::size_t table_count(Tab tab) {
  if (tab == Tab::clients) return clients_tables.size();
  return tab == Tab::online ? online_tables.size() : 1;
}

Content pages_content(const Figures& figures) {
  return top_content(figures.pages(), "pages", figures.all().total.requests);
}

Content clients_content(const Figures& figures, std::size_t table) {
  const std::array tops = {&figures.clients(), &figures.referrers(), &figures.agents()};
  return top_content(*tops.at(table), clients_tables.at(table), figures.all().total.requests);
}

Content online_content(const Figures& figures, std::size_t table) {
  const auto& visits = figures.visits();
  Content content;
  add_visits_head(content, visits);
  if (table == 1) {
    content.columns = {{"visitors", 10}, {"page", 0, true}};
    for (const auto& entry : visits.pages(rows_max)) {
      content.rows.push_back({{count_cell(entry.count), text_cell(entry.key)}});
    }
    return content;
  }
  content.columns = {
      {"requests", 9},
      {"here for", 9},
      {"idle", 9},
      {"client", 24, true},
      {"server", 20, true},
      {"page", 0, true}};
  const auto duration = [](std::chrono::milliseconds length) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(length);
    return Cell{short_duration(seconds), static_cast<double>(seconds.count())};
  };
  for (const auto& visit : visits.recent(rows_max)) {
    content.rows.push_back(
        {{count_cell(visit.requests),
          duration(visit.last - visit.first),
          duration(figures.now() - visit.last),
          text_cell(visit.client),
          text_cell(visit.server),
          text_cell(visit.page)}});
  }
  return content;
}

Content make_content(Tab tab, std::size_t table, const ContentSource& source) {
  const auto& figures = source.analysis.figures();
  switch (tab) {
    case Tab::metrics:
      return metrics_content(source.analysis);
    case Tab::codes:
      return codes_content(figures);
    case Tab::servers:
      return servers_content(figures);
    case Tab::pages:
      return pages_content(figures);
    case Tab::clients:
      return clients_content(figures, table);
    case Tab::online:
      return online_content(figures, table);
    case Tab::ring:
      return ring_content(source.ring);
  }
  return {};
}

}  // namespace ringcast::monitor
