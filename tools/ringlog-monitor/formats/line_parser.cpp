// SPDX-License-Identifier: Apache-2.0
//
// Which format a line is of.
#include "tools/ringlog-monitor/formats/line_parser.hpp"

#include <algorithm>
#include <utility>

#include "tools/ringlog-monitor/formats/format_strings.hpp"
#include "tools/ringlog-monitor/formats/haproxy_format.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::string_view common = "%h %l %u %t \"%r\" %>s %b";
constexpr std::string_view combined =
    "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"";
constexpr std::string_view vhost_combined =
    "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"";
constexpr std::size_t formats_max = 16;

bool has_variable(std::string_view text) {
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    if ((next >= 'a' && next <= 'z') || next == '{') return true;
  }
  return false;
}

Result<Pattern> make_pattern(std::string_view text) {
  constexpr std::string_view apache = "apache:";
  constexpr std::string_view nginx = "nginx:";
  if (text == "common") return parse_apache_format(common);
  if (text == "combined") return parse_apache_format(combined);
  if (text == "vhost-combined") return parse_apache_format(vhost_combined);
  if (text.starts_with(apache)) return parse_apache_format(text.substr(apache.size()));
  if (text.starts_with(nginx)) return parse_nginx_format(text.substr(nginx.size()));
  if (has_variable(text)) return parse_nginx_format(text);
  if (text.find('%') != std::string_view::npos) return parse_apache_format(text);
  return Error{
      Errc::invalid_argument,
      "\"" + std::string(text) +
          "\" is no log format: write common, combined, vhost-combined, haproxy, json, or the "
          "string of an Apache LogFormat or nginx log_format"};
}

}  // namespace

Result<LineParser> LineParser::make(const std::vector<std::string>& formats) {
  static const std::vector<std::string> all = {"combined", "common", "haproxy", "json"};
  const auto& wanted = formats.empty() ? all : formats;
  if (wanted.size() > formats_max) {
    return Error{Errc::invalid_argument, "at most " + std::to_string(formats_max) + " log formats"};
  }
  LineParser parser;
  for (const auto& text : wanted) {
    auto format = make_format(text);
    if (!format) return format.error();
    parser.formats_.push_back(std::move(format).value());
  }
  return parser;
}

Result<LineParser::Format> LineParser::make_format(const std::string& text) {
  if (text == "haproxy") return Format{Haproxy{}};
  if (text == "json") return Format{JsonFormat{}};
  auto pattern = make_pattern(text);
  if (!pattern) return pattern.error();
  return Format{std::move(pattern).value()};
}

bool LineParser::match(Format& format, std::string_view line, Request& request) {
  if (const auto* pattern = std::get_if<Pattern>(&format)) return pattern->match(line, request);
  if (auto* json = std::get_if<JsonFormat>(&format)) return json->match(line, request);
  return match_haproxy(line, request);
}

std::optional<Request> LineParser::parse(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::optional<Request> request(std::in_place);
  if (match(formats_[last_], line, *request)) return request;
  for (std::size_t i = 0; i < formats_.size(); ++i) {
    if (i == last_) continue;
    request.emplace();
    if (match(formats_[i], line, *request)) {
      last_ = i;
      return request;
    }
  }
  return std::nullopt;
}

}  // namespace ringcast::monitor
