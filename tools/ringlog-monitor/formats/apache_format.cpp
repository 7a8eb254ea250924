// SPDX-License-Identifier: Apache-2.0
//
// Apache's LogFormat, as the documentation of mod_log_config describes it.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "tools/ringlog-monitor/formats/format_strings.hpp"

namespace ringcast::monitor {

namespace {

struct Directive {
  std::string argument;  // of %{argument}X
  char letter{0};        // 0: the text ended before it
};

bool equals_ignoring_case(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const auto a = static_cast<unsigned char>(one[i]);
    const auto b = static_cast<unsigned char>(other[i]);
    if (std::tolower(a) != std::tolower(b)) return false;
  }
  return true;
}

// What stands behind the percent sign: conditions, modifiers, argument, letter.
Directive take_directive(std::string_view& text) {
  Directive directive;
  constexpr std::string_view modifiers = "!<>,0123456789";
  while (!text.empty()) {
    const char next = text.front();
    text.remove_prefix(1);
    if (next == '{') {
      const auto end = text.find('}');
      if (end == std::string_view::npos) break;
      directive.argument = text.substr(0, end);
      text.remove_prefix(end + 1);
    } else if (next == '^') {  // %{VARNAME}^ti and ^to: two letters
      text.remove_prefix(std::min<std::size_t>(text.size(), 2));
      directive.letter = next;
      break;
    } else if (modifiers.find(next) == std::string_view::npos) {
      directive.letter = next;
      break;
    }
  }
  return directive;
}

Field header_field(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Field>, 4> headers = {
      {{"Referer", Field::referrer},
       {"Referrer", Field::referrer},
       {"User-Agent", Field::agent},
       {"Host", Field::server}}};
  for (const auto& [header, field] : headers) {
    if (equals_ignoring_case(header, name)) return field;
  }
  return Field::ignored;
}

Field latency_field(std::string_view unit) {
  if (unit == "ms") return Field::latency_milliseconds;
  if (unit == "us") return Field::latency_microseconds;
  return Field::latency_seconds;
}

Field simple_field(char letter) {
  switch (letter) {
    case 'h':
    case 'a':
      return Field::client;
    case 'r':
      return Field::request;
    case 'm':
      return Field::method;
    case 'U':
      return Field::page;
    case 'q':
      return Field::query;
    case 's':
      return Field::status;
    case 'b':
    case 'B':
      return Field::bytes;
    case 'O':
      return Field::bytes_on_wire;
    case 'D':
      return Field::latency_microseconds;
    case 'v':
    case 'V':
      return Field::server;
    default:
      return Field::ignored;
  }
}

// %t brings its own brackets; %{...}t brings none but those of its argument.
void add_time(Pattern& pattern, std::string_view argument) {
  for (const std::string_view edge : {"begin:", "end:"}) {
    if (argument.starts_with(edge)) argument.remove_prefix(edge.size());
  }
  if (argument.empty()) {
    pattern.add("[");
    pattern.add(Field::time_common);
    pattern.add("]");
  } else if (argument == "sec") {
    pattern.add(Field::time_seconds);
  } else if (argument == "msec") {
    pattern.add(Field::time_milliseconds);
  } else if (argument == "usec") {
    pattern.add(Field::time_microseconds);
  } else if (argument == "%d/%b/%Y:%H:%M:%S %z" || argument == "%d/%b/%Y:%T %z") {
    pattern.add(Field::time_common);
  } else if (argument == "%Y-%m-%dT%H:%M:%S%z" || argument == "%FT%T%z") {
    pattern.add(Field::time_iso8601);
  } else {
    pattern.add(Field::ignored);
  }
}

void add_directive(Pattern& pattern, const Directive& directive) {
  switch (directive.letter) {
    case '%':
      pattern.add("%");
      return;
    case 't':
      add_time(pattern, directive.argument);
      return;
    case 'T':
      pattern.add(latency_field(directive.argument));
      return;
    case 'i':
      pattern.add(header_field(directive.argument));
      return;
    default:
      // %{...}p, %{...}e and the like never are what the bare letter is, but %{c}a and %{c}h are.
      pattern.add(simple_field(directive.letter));
      return;
  }
}

char unescaped(char escape) {
  if (escape == 't') return '\t';
  if (escape == 'n') return '\n';
  return escape;
}

}  // namespace

Result<Pattern> parse_apache_format(std::string_view text) {
  const auto whole = text;
  Pattern pattern;
  bool is_complete = true;
  while (!text.empty()) {
    const char next = text.front();
    text.remove_prefix(1);
    if (next == '%') {
      const auto directive = take_directive(text);
      is_complete = directive.letter != 0;
      add_directive(pattern, directive);
    } else if (next == '\\' && !text.empty()) {
      const char meant = unescaped(text.front());
      text.remove_prefix(1);
      pattern.add(std::string_view(&meant, 1));
    } else {
      pattern.add(std::string_view(&next, 1));
    }
  }
  if (!is_complete) {
    return Error{
        Errc::invalid_argument,
        "log format \"" + std::string(whole) + "\": it ends inside a directive"};
  }
  if (auto checked = pattern.check(whole); !checked) return checked.error();
  return pattern;
}

}  // namespace ringcast::monitor
