// SPDX-License-Identifier: Apache-2.0
//
// Values of fields, checked as they are taken over.
#include "tools/ringlog-monitor/formats/field.hpp"

#include "tools/ringlog-monitor/formats/values.hpp"

namespace ringcast::monitor {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::int64_t per_milli = 1000;
constexpr std::int64_t per_second = 1'000'000;

// GET /path?query HTTP/1.1. What is no such thing (a scanner's bytes) is its own page.
void take_request(Request& request, std::string_view value) {
  const auto blank = value.find(' ');
  if (blank == std::string_view::npos || blank == 0) {
    request.page = value;
    return;
  }
  request.method = value.substr(0, blank);
  auto target = value.substr(blank + 1);
  const auto version = target.rfind(" HTTP/");
  request.page = without_query(target.substr(0, version));
}

bool take_status(Request& request, std::string_view value) {
  const auto status = parse_number(value);
  if (!status || value.size() > 3) return false;
  request.status = static_cast<std::uint16_t>(*status);
  return true;
}

bool take_bytes(Request& request, std::string_view value, bool is_document) {
  const auto bytes = parse_number(value);
  if (!bytes) return false;
  if (is_document || !request.bytes) request.bytes = *bytes;
  return true;
}

bool take_latency(Request& request, std::string_view value, std::int64_t unit) {
  const auto micros = parse_decimal(value, unit);
  if (micros) request.latency = microseconds(*micros);
  return micros.has_value();
}

bool take_time(Request& request, std::optional<LogTime> time) {
  request.time = time;
  return time.has_value();
}

bool take_epoch(Request& request, std::string_view value, std::int64_t unit) {
  const auto micros = parse_decimal(value, unit);
  if (!micros) return false;
  return take_time(request, LogTime(duration_cast<milliseconds>(microseconds(*micros))));
}

bool set(std::string_view& to, std::string_view value) {
  to = value;
  return true;
}

}  // namespace

bool assign(Request& request, Field field, std::string_view value) {
  if (value == "-") return true;
  switch (field) {
    case Field::ignored:
    case Field::query:
      return true;
    case Field::client:
      return set(request.client, value);
    case Field::time_common:
      return take_time(request, parse_common_time(value));
    case Field::time_iso8601:
      return take_time(request, parse_iso8601(value));
    case Field::time_seconds:
      return take_epoch(request, value, per_second);
    case Field::time_milliseconds:
      return take_epoch(request, value, per_milli);
    case Field::time_microseconds:
      return take_epoch(request, value, 1);
    case Field::request:
      take_request(request, value);
      return true;
    case Field::method:
      return set(request.method, value);
    case Field::page:
      return set(request.page, without_query(value));
    case Field::status:
      return take_status(request, value);
    case Field::bytes:
    case Field::bytes_on_wire:
      return take_bytes(request, value, field == Field::bytes);
    case Field::referrer:
      return set(request.referrer, value);
    case Field::agent:
      return set(request.agent, value);
    case Field::latency_seconds:
      return take_latency(request, value, per_second);
    case Field::latency_milliseconds:
      return take_latency(request, value, per_milli);
    case Field::latency_microseconds:
      return take_latency(request, value, 1);
    case Field::server:
      return set(request.server, value);
  }
  return true;
}

}  // namespace ringcast::monitor
