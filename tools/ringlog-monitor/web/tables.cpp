// SPDX-License-Identifier: Apache-2.0
//
// Figures as rows.
#include "tools/ringlog-monitor/web/tables.hpp"

#include <cmath>

#include "tools/ringlog-monitor/quantities.hpp"

namespace ringcast::monitor {

namespace {

using tools::Json;

double rounded(double value) {
  constexpr double parts = 10000;
  return std::round(value * parts) / parts;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : rounded(static_cast<double>(part) / static_cast<double>(whole));
}

Json milliseconds(const Histogram& latency, double part) {
  constexpr double micros_per_milli = 1000;
  if (latency.count() == 0) return {};
  return static_cast<double>(latency.percentile(part)) / micros_per_milli;
}

std::int64_t seconds(std::chrono::milliseconds length) {
  return std::chrono::floor<std::chrono::seconds>(length).count();
}

Table servers_table(const Figures& figures) {
  constexpr double half = 0.5;
  constexpr double most = 0.99;
  Table table;
  table.fields = {
      {"server", true},
      {"requests"},
      {"rate"},
      {"bytes"},
      {"errors"},
      {"error_share"},
      {"error_relative"},
      {"p50_ms"},
      {"p99_ms"},
      {"size_p50"},
      {"unparsed"},
      {"lost"}};
  table.is_exact = figures.servers().is_exact();
  const double usual = figures.all().error_share();
  for (const auto& [name, server] : figures.servers().all()) {
    table.rows.push_back(
        {name,
         server.total.requests,
         rounded(figures.rate(server, rate_spans[1]).requests),
         server.total.bytes,
         server.total.errors,
         rounded(server.error_share()),
         usual > 0 ? Json(rounded(server.error_share() / usual)) : Json(),
         milliseconds(server.latency, half),
         milliseconds(server.latency, most),
         server.sizes.count() == 0 ? Json() : Json(server.sizes.percentile(half)),
         server.unparsed,
         server.lost});
  }
  return table;
}

Table codes_table(const Figures& figures) {
  Table table;
  table.fields = {{"code"}, {"requests"}, {"share"}};
  const auto requests = figures.all().total.requests;
  for (std::size_t code = 0; code < figures.codes().size(); ++code) {
    const auto count = figures.codes().at(code);
    if (count > 0) table.rows.push_back({code, count, share(count, requests)});
  }
  return table;
}

Table top_table(const Top& top, const Figures& figures) {
  Table table;
  table.fields = {{"key", true}, {"requests"}, {"error"}, {"share"}, {"bytes"}};
  table.is_exact = top.is_exact();
  const auto requests = figures.all().total.requests;
  for (const auto& entry : top.first(table_rows_max)) {
    table.rows.push_back(
        {entry.key, entry.count, entry.error, share(entry.count, requests), entry.bytes});
  }
  table.known = top.size();
  return table;
}

Table online_table(const Figures& figures) {
  Table table;
  table.fields = {
      {"client", true},
      {"server", true},
      {"page", true},
      {"requests"},
      {"here_s"},
      {"idle_s"},
      {"id", true}};
  for (const auto& visit : figures.visits().recent(table_rows_max)) {
    table.rows.push_back(
        {visit.client,
         visit.server,
         visit.page,
         visit.requests,
         seconds(visit.last - visit.first),
         seconds(figures.now() - visit.last),
         visit.id});
  }
  table.known = figures.visits().online();
  return table;
}

Table places_table(const Figures& figures) {
  Table table;
  table.fields = {{"page", true}, {"visitors"}};
  for (const auto& entry : figures.visits().pages(table_rows_max)) {
    table.rows.push_back({entry.key, entry.count});
  }
  return table;
}

Table alerts_table(const Analysis& analysis) {
  Table table;
  table.fields = {
      {"at", true}, {"server", true}, {"signal", true}, {"change", true}, {"rate"}, {"mean"}};
  const auto& alerts = analysis.recent_alerts();
  for (auto alert = alerts.rbegin(); alert != alerts.rend(); ++alert) {
    table.rows.push_back(
        {utc(alert->at),
         alert->server.empty() ? "all" : alert->server,
         to_string(alert->signal),
         to_string(alert->change),
         rounded(alert->rate),
         rounded(alert->mean)});
  }
  return table;
}

Table unparsed_table(const Figures& figures) {
  Table table;
  table.fields = {{"server", true}, {"text", true}};
  for (auto line = figures.unparsed().rbegin(); line != figures.unparsed().rend(); ++line) {
    table.rows.push_back({line->server, line->text});
  }
  return table;
}

std::optional<Table> choose(std::string_view name, const Analysis& analysis) {
  const auto& figures = analysis.figures();
  if (name == "servers") return servers_table(figures);
  if (name == "codes") return codes_table(figures);
  if (name == "pages") return top_table(figures.pages(), figures);
  if (name == "clients") return top_table(figures.clients(), figures);
  if (name == "referrers") return top_table(figures.referrers(), figures);
  if (name == "agents") return top_table(figures.agents(), figures);
  if (name == "online") return online_table(figures);
  if (name == "places") return places_table(figures);
  if (name == "alerts") return alerts_table(analysis);
  if (name == "unparsed") return unparsed_table(figures);
  return std::nullopt;
}

}  // namespace

std::optional<Table> make_table(std::string_view name, const Analysis& analysis) {
  auto table = choose(name, analysis);
  if (table && table->known == 0) table->known = table->rows.size();
  return table;
}

}  // namespace ringcast::monitor
