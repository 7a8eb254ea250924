// SPDX-License-Identifier: Apache-2.0
//
// nginx's log_format, as the documentation of ngx_http_log_module describes it.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tools/ringlog-monitor/formats/format_strings.hpp"

namespace ringcast::monitor {

namespace {

bool is_name_character(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

Field variable_field(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Field>, 20> variables = {
      {{"remote_addr", Field::client},
       {"time_local", Field::time_common},
       {"time_iso8601", Field::time_iso8601},
       {"msec", Field::time_seconds},
       {"request", Field::request},
       {"request_method", Field::method},
       {"request_uri", Field::page},
       {"uri", Field::page},
       {"document_uri", Field::page},
       {"is_args", Field::query},
       {"args", Field::query},
       {"query_string", Field::query},
       {"status", Field::status},
       {"body_bytes_sent", Field::bytes},
       {"bytes_sent", Field::bytes_on_wire},
       {"http_referer", Field::referrer},
       {"http_user_agent", Field::agent},
       {"request_time", Field::latency_seconds},
       {"host", Field::server},
       {"server_name", Field::server}}};
  for (const auto& [variable, field] : variables) {
    if (variable == name) return field;
  }
  return name == "http_host" ? Field::server : Field::ignored;
}

// The name behind a dollar sign, with or without braces; empty when it is none.
std::string_view take_name(std::string_view& text) {
  if (text.starts_with('{')) {
    const auto end = text.find('}');
    if (end == std::string_view::npos) return {};
    const auto name = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return name;
  }
  const auto* const end = std::find_if_not(text.begin(), text.end(), is_name_character);
  const auto name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(name.size());
  return name;
}

}  // namespace

Result<Pattern> parse_nginx_format(std::string_view text) {
  const auto whole = text;
  Pattern pattern;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    pattern.add(text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (text.empty()) break;
    text.remove_prefix(1);
    const auto name = take_name(text);
    if (name.empty()) {
      return Error{
          Errc::invalid_argument,
          "log format \"" + std::string(whole) + "\": a dollar sign without a variable's name"};
    }
    pattern.add(variable_field(name));
  }
  if (auto checked = pattern.check(whole); !checked) return checked.error();
  return pattern;
}

}  // namespace ringcast::monitor
