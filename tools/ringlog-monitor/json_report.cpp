// SPDX-License-Identifier: Apache-2.0
//
// Fields in the order in which people ask for them.
#include "tools/ringlog-monitor/json_report.hpp"

#include <array>
#include <cmath>

#include "tools/common/json.hpp"
#include "tools/ringlog-monitor/quantities.hpp"

namespace ringcast::monitor {

namespace {

using tools::Json;

constexpr std::array span_names = {"now", "1m", "5m", "15m"};
constexpr std::array class_names = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

double rounded(double value) {
  constexpr double thousand = 1000;
  return std::round(value * thousand) / thousand;
}

Json rates_of(const Figures& figures, const ServerFigures& server) {
  Json rates;
  for (std::size_t i = 0; i < rate_spans.size(); ++i) {
    const auto rate = figures.rate(server, rate_spans.at(i));
    rates[span_names.at(i)] = {
        {"requests", rounded(rate.requests)},
        {"bytes", rounded(rate.bytes)},
        {"errors", rounded(rate.errors)}};
  }
  return rates;
}

// Every value divided by `unit`.
Json percentiles_of(const Histogram& histogram, double unit = 1) {
  const auto value = [unit](std::uint64_t number) {
    return rounded(static_cast<double>(number) / unit);
  };
  return {
      {"count", histogram.count()},
      {"mean", rounded(histogram.mean() / unit)},
      {"min", value(histogram.min())},
      {"p50", value(histogram.percentile(0.5))},
      {"p90", value(histogram.percentile(0.9))},
      {"p99", value(histogram.percentile(0.99))},
      {"max", value(histogram.max())}};
}

constexpr double micros_per_milli = 1000;

Json classes_of(const Classes& classes) {
  Json json;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    json[class_names.at(i)] = classes.at(i);
  }
  return json;
}

void add_totals(Json& json, const Figures& figures, const ServerFigures& server) {
  json["lines"] = server.lines;
  json["requests"] = server.total.requests;
  json["unparsed"] = server.unparsed;
  json["lost"] = server.lost;
  json["bytes"] = server.total.bytes;
  json["errors"] = server.total.errors;
  json["error_share"] = rounded(server.error_share());
  json["rates"] = rates_of(figures, server);
  json["classes"] = classes_of(server.classes);
  json["sizes"] = percentiles_of(server.sizes);
  json["latency_ms"] = percentiles_of(server.latency, micros_per_milli);
}

Json servers_of(const Figures& figures) {
  Json list = Json::array();
  const double usual = figures.all().error_share();
  for (const auto& [name, server] : figures.servers().all()) {
    Json json = {{"server", name}};
    add_totals(json, figures, server);
    json["error_relative"] = usual > 0 ? Json(rounded(server.error_share() / usual)) : Json();
    list.push_back(std::move(json));
  }
  return {{"exact", figures.servers().is_exact()}, {"list", std::move(list)}};
}

Json codes_of(const Figures& figures) {
  Json json = Json::object();
  for (std::size_t code = 0; code < figures.codes().size(); ++code) {
    const auto count = figures.codes().at(code);
    if (count > 0) json[std::to_string(code)] = count;
  }
  return json;
}

Json top_of(const Top& top, std::size_t count) {
  Json list = Json::array();
  for (const auto& entry : top.first(count)) {
    list.push_back(
        {{"key", entry.key},
         {"count", entry.count},
         {"error", entry.error},
         {"bytes", entry.bytes}});
  }
  return {{"exact", top.is_exact()}, {"known", top.size()}, {"list", std::move(list)}};
}

Json visits_of(const Visits& visits, std::size_t count) {
  Json pages = Json::array();
  for (const auto& entry : visits.pages(count)) {
    pages.push_back({{"page", entry.key}, {"visitors", entry.count}});
  }
  return {
      {"online", visits.online()},
      {"ended", visits.ended()},
      {"ended_early", visits.ended_early()},
      {"seconds", percentiles_of(visits.seconds())},
      {"requests", percentiles_of(visits.requests())},
      {"pages", std::move(pages)}};
}

Json alert_of(const Alert& alert) {
  return {
      {"event", "alert"},
      {"at", utc(alert.at)},
      {"server", alert.server.empty() ? Json() : Json(alert.server)},
      {"signal", to_string(alert.signal)},
      {"change", to_string(alert.change)},
      {"rate", rounded(alert.rate)},
      {"mean", rounded(alert.mean)}};
}

Json unparsed_of(const Figures& figures) {
  Json list = Json::array();
  for (const auto& line : figures.unparsed()) {
    list.push_back({{"server", line.server}, {"text", line.text}});
  }
  return list;
}

Json ring_of(const RingState& ring) {
  Json groups = Json::object();
  for (const auto& [group, members] : ring.members) {
    groups[group] = members.size();
  }
  Json json = {
      {"session", ring.session.empty() ? Json() : Json(ring.session)},
      {"sessions", ring.sessions},
      {"records", ring.counters.records},
      {"duplicates", ring.counters.duplicates},
      {"missed", ring.counters.missed},
      {"foreign", ring.counters.foreign},
      {"malformed", ring.counters.malformed},
      {"members", std::move(groups)}};
  if (ring.configuration) {
    json["configuration"] = to_string(ring.configuration->id);
    json["daemons"] = ring.configuration->daemons;
  }
  return json;
}

}  // namespace

void append_json(std::string& out, const JsonReport& report) {
  const auto& figures = report.analysis.figures();
  Json json = {
      {"event", "figures"},
      {"final", report.is_final},
      {"since", figures.since() ? Json(utc(*figures.since())) : Json()},
      {"at", figures.since() ? Json(utc(figures.now())) : Json()}};
  add_totals(json, figures, figures.all());
  json["latency_recent_ms"] = percentiles_of(figures.recent_latency(), micros_per_milli);
  json["codes"] = codes_of(figures);
  json["servers"] = servers_of(figures);
  json["pages"] = top_of(figures.pages(), report.top);
  json["clients"] = top_of(figures.clients(), report.top);
  json["referrers"] = top_of(figures.referrers(), report.top);
  json["agents"] = top_of(figures.agents(), report.top);
  json["visits"] = visits_of(figures.visits(), report.top);
  json["alerts"] = Json::array();
  for (const auto& alert : report.analysis.alerts().current()) {
    json["alerts"].push_back(alert_of(alert));
  }
  json["recent_alerts"] = Json::array();
  for (const auto& alert : report.analysis.recent_alerts()) {
    json["recent_alerts"].push_back(alert_of(alert));
  }
  json["unparsed_lines"] = unparsed_of(figures);
  if (report.ring != nullptr) json["ring"] = ring_of(*report.ring);
  out += tools::one_line_json(json);
  out += '\n';
}

std::string alert_json(const Alert& alert) { return tools::one_line_json(alert_of(alert)); }

}  // namespace ringcast::monitor
