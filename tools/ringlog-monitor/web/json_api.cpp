// SPDX-License-Identifier: Apache-2.0
//
// One function for each path. A parameter that a path does not know is refused: it would
// otherwise be a filter that filters nothing.
#include "tools/ringlog-monitor/web/json_api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "ringcast/version.hpp"

#include "tools/ringlog-monitor/json_report.hpp"
#include "tools/ringlog-monitor/quantities.hpp"
#include "tools/ringlog-monitor/web/table.hpp"
#include "tools/ringlog-monitor/web/tables.hpp"

namespace ringcast::monitor {

namespace {

using tools::Json;

constexpr int bad_request = 400;
constexpr int not_found = 404;
constexpr std::size_t usual_rows = 100;
constexpr std::size_t usual_top = 10;
constexpr std::size_t event_seconds = 10;
constexpr std::size_t parameter_bytes_max = 1024;
constexpr double micros_per_milli = 1000;

struct Route {
  std::string_view path;
  std::vector<std::string_view> parameters;
};

const std::array<Route, 7>& routes() {
  static const std::array<Route, 7> all = {{
      {"/api/groups", {}},
      {"/api/figures", {"group", "top"}},
      {"/api/history", {"group", "range"}},
      {"/api/table", {"group", "name", "limit", "sort", "order", "field", "text"}},
      {"/api/tail", {"group", "limit", "field", "text", "after"}},
      {"/api/clicks", {"group", "id"}},
      {"/api/events", {"group"}},
  }};
  return all;
}

std::string quoted_list(const auto& names) {
  std::string list;
  for (const auto& name : names) {
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  return list;
}

// What is wrong with the parameters, or nothing.
std::optional<std::string> check_parameters(const HttpRequest& request, const Route& route) {
  const auto& known = route.parameters;
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return "no parameter \"" + name + "\" here; there are: " + quoted_list(known);
    }
    if (value.size() > parameter_bytes_max) return "\"" + name + "\" is too long";
  }
  return std::nullopt;
}

struct NumberLimits {
  std::uint64_t usual{0};
  std::uint64_t max{0};
};

Result<std::uint64_t> number(
    const HttpRequest& request, std::string_view name, NumberLimits limits) {
  const auto text = request.parameter(name);
  if (text.empty()) return std::uint64_t{limits.usual};
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  if (is_number && value <= limits.max) return std::uint64_t{value};
  return Error{
      Errc::invalid_argument,
      std::string(name) + " must be a number, at most " + std::to_string(limits.max)};
}

std::int64_t unix_seconds(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

double rounded(double value) {
  constexpr double parts = 1000;
  return std::round(value * parts) / parts;
}

// Columns, as plots take them.
Json stretch_json(const TimeLine::Stretch& stretch) {
  std::array<Json, 6> columns;
  columns.fill(Json::array());
  for (const auto& point : stretch.points) {
    const auto latency = [&](std::uint64_t micros) {
      return point.has_latency ? Json(static_cast<double>(micros) / micros_per_milli) : Json();
    };
    columns[0].push_back(rounded(point.rate.requests));
    columns[1].push_back(rounded(point.rate.bytes));
    columns[2].push_back(rounded(point.rate.errors));
    columns[3].push_back(latency(point.p50));
    columns[4].push_back(latency(point.p90));
    columns[5].push_back(latency(point.p99));
  }
  return {
      {"start", unix_seconds(stretch.start)},
      {"step", stretch.step.count()},
      {"requests", std::move(columns[0])},
      {"bytes", std::move(columns[1])},
      {"errors", std::move(columns[2])},
      {"p50_ms", std::move(columns[3])},
      {"p90_ms", std::move(columns[4])},
      {"p99_ms", std::move(columns[5])}};
}

// By the log's time a second is over when the log is; by the clock, when it has passed.
TimeLine::Current current_of(const Analysis& analysis) {
  const bool is_log = analysis.time_source() == TimeSource::log;
  return is_log ? TimeLine::Current::with : TimeLine::Current::without;
}

HttpResponse history(const HttpRequest& request, const Analysis& analysis) {
  const auto range = request.parameter("range");
  const auto& figures = analysis.figures();
  const bool is_all = range == "all";
  if (!is_all && range != "recent" && !range.empty()) {
    return error_response(bad_request, "range is recent or all");
  }
  const auto& line = is_all ? figures.history() : figures.recent();
  const auto points = is_all ? Figures::history_points : Figures::recent_seconds;
  auto json = stretch_json(line.read(figures.now(), current_of(analysis), points));
  json["range"] = is_all ? "all" : "recent";
  return json_response(json);
}

HttpResponse table(const HttpRequest& request, const Analysis& analysis) {
  auto made = make_table(request.parameter("name"), analysis);
  if (!made) {
    return error_response(not_found, "no such table; name is one of " + quoted_list(table_names));
  }
  const auto limit = number(request, "limit", {usual_rows, JsonApi::rows_max});
  if (!limit) return error_response(bad_request, limit.error().message);
  const auto order = request.parameter("order");
  if (!order.empty() && order != "asc" && order != "desc") {
    return error_response(bad_request, "order is asc or desc");
  }
  TableQuery query;
  query.text = request.parameter("text");
  query.field = request.parameter("field");
  query.sort = request.parameter("sort");
  query.is_ascending = order == "asc";
  query.limit = *limit;
  auto answered = answer(std::move(*made), query);
  if (!answered) return error_response(bad_request, answered.error().message);
  return json_response(*answered);
}

constexpr std::array<std::string_view, 6> tail_fields = {
    "line", "server", "client", "page", "status", "agent"};

// What a filter by that field looks at.
std::string field_of(const RecentLine& line, std::string_view field, LineParser& parser) {
  if (field == "line") return line.text;
  if (field == "server") return line.server;
  const auto request = parser.parse(line.text);
  if (!request) return {};
  if (field == "client") return std::string(request->client);
  if (field == "page") return std::string(request->page);
  if (field == "agent") return std::string(request->agent);
  return request->status ? std::to_string(*request->status) : std::string();
}

bool fits(const RecentLine& line, const HttpRequest& request, LineParser& parser) {
  const auto text = request.parameter("text");
  const auto field = request.parameter("field");
  if (text.empty()) return true;
  if (!field.empty()) return contains_text(field_of(line, field, parser), text);
  return contains_text(line.text, text) || contains_text(line.server, text);
}

Json line_json(const RecentLine& line, LineParser& parser) {
  const auto request = parser.parse(line.text);
  const bool has_status = request && request->status;
  Json json = {
      {"seq", line.seq},
      {"at", line.at == Instant{} ? Json() : Json(utc(line.at))},
      {"server", line.server},
      {"status", has_status ? Json(*request->status) : Json()},
      {"text", line.text}};
  if (line.is_cut) json["cut"] = true;
  return json;
}

HttpResponse tail(const HttpRequest& request, const Analysis& analysis) {
  const auto limit = number(request, "limit", {usual_rows, JsonApi::rows_max});
  if (!limit) return error_response(bad_request, limit.error().message);
  const auto after = number(request, "after", {0, UINT64_MAX});
  if (!after) return error_response(bad_request, after.error().message);
  const auto field = request.parameter("field");
  const bool is_known =
      std::find(tail_fields.begin(), tail_fields.end(), field) != tail_fields.end();
  if (!field.empty() && !is_known) {
    return error_response(bad_request, "field is one of " + quoted_list(tail_fields));
  }
  auto parser = analysis.parser();
  const auto& lines = analysis.recent_lines().all();
  std::vector<const RecentLine*> found;
  for (auto line = lines.rbegin(); line != lines.rend() && line->seq > *after; ++line) {
    if (found.size() >= *limit) break;
    if (fits(*line, request, parser)) found.push_back(&*line);
  }
  Json list = Json::array();
  for (auto line = found.rbegin(); line != found.rend(); ++line) {
    list.push_back(line_json(**line, parser));
  }
  return json_response(
      {{"first_seq", lines.empty() ? Json() : Json(lines.front().seq)},
       {"last_seq", analysis.recent_lines().last_seq()},
       {"lines", std::move(list)}});
}

HttpResponse clicks(const HttpRequest& request, const Analysis& analysis) {
  const auto id = request.parameter("id");
  const auto* const trail = analysis.figures().visits().trail(id);
  if (trail == nullptr) {
    return error_response(not_found, "nobody with that id is online; ids are in the table online");
  }
  Json list = Json::array();
  for (const auto& click : trail->list()) {
    list.push_back(
        {{"at", utc(click.at)},
         {"server", click.server},
         {"page", click.page},
         {"status", click.status == 0 ? Json() : Json(click.status)}});
  }
  return json_response({{"id", id}, {"earlier", trail->gone()}, {"clicks", std::move(list)}});
}

}  // namespace

HttpResponse JsonApi::answer(const HttpRequest& request) const {
  const auto& all = routes();
  const auto* const route = std::find_if(
      all.begin(), all.end(), [&](const Route& one) { return one.path == request.path; });
  if (route == all.end()) {
    std::vector<std::string_view> paths;
    paths.reserve(all.size());
    for (const auto& one : all) {
      paths.push_back(one.path);
    }
    return error_response(not_found, "nothing here; there are " + quoted_list(paths));
  }
  if (const auto wrong = check_parameters(request, *route)) {
    return error_response(bad_request, *wrong);
  }
  if (route->path == "/api/groups") return groups();
  const auto* const analysis = analyses_.find(request.parameter("group"));
  if (analysis == nullptr) {
    return error_response(not_found, "no such group; there are " + quoted_list(analyses_.names()));
  }
  if (route->path == "/api/figures") return figures(request, *analysis);
  if (route->path == "/api/history") return history(request, *analysis);
  if (route->path == "/api/table") return table(request, *analysis);
  if (route->path == "/api/tail") return tail(request, *analysis);
  if (route->path == "/api/clicks") return clicks(request, *analysis);
  return events(request);
}

HttpResponse JsonApi::groups() const {
  const bool is_log = analyses_.all().time_source() == TimeSource::log;
  Json list = Json::array();
  for (const auto& name : analyses_.names()) {
    list.push_back({{"name", name}, {"lines", analyses_.find(name)->figures().all().lines}});
  }
  return json_response(
      {{"version", ringcast::version},
       {"source", ring_ == nullptr ? "file" : "ring"},
       {"time", is_log ? "log" : "arrival"},
       {"token", has_token_},
       {"groups", std::move(list)}});
}

std::string JsonApi::report(const Analysis& analysis, std::size_t top) const {
  std::string text;
  append_json(text, JsonReport{analysis, ring_, top, false});
  return text;
}

HttpResponse JsonApi::figures(const HttpRequest& request, const Analysis& analysis) const {
  const auto top = number(request, "top", {usual_top, rows_max});
  if (!top) return error_response(bad_request, top.error().message);
  return {200, "application/json", report(analysis, *top)};
}

HttpResponse JsonApi::events(const HttpRequest& request) const {
  const std::string group(request.parameter("group"));
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.body = "retry: 2000\n\n" + event(group);
  response.headers = {{"X-Accel-Buffering", "no"}};  // a proxy is not to collect events
  response.channel = "events:" + group;
  return response;
}

std::string JsonApi::event(const std::string& group) const {
  const auto& analysis = *analyses_.find(group);
  const auto& figures = analysis.figures();
  const auto seconds = figures.recent().read(figures.now(), current_of(analysis), event_seconds);
  // Both are one line, so that the event's data is one, too.
  std::string text = "event: figures\ndata: {\"seconds\":";
  text += tools::one_line_json(stretch_json(seconds));
  text += ",\"figures\":";
  text += report(analysis, usual_top);
  text.back() = '}';  // in the place of the newline
  return text + "\n\n";
}

}  // namespace ringcast::monitor
