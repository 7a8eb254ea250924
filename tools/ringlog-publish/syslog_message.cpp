// SPDX-License-Identifier: Apache-2.0
//
// RFC 5424 by its grammar, RFC 3164 by custom.
#include "tools/ringlog-publish/syslog_message.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace ringcast::ringlog {

namespace {

constexpr std::string_view bom = "\xEF\xBB\xBF";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes "<0>" to "<191>" away.
bool take_priority(std::string_view& rest) {
  const auto end = rest.find('>');
  if (!rest.starts_with('<') || end == std::string_view::npos || end < 2 || end > 4) return false;
  int value = 0;
  for (const char c : rest.substr(1, end - 1)) {
    if (!is_digit(c)) return false;
    value = 10 * value + (c - '0');
  }
  constexpr int priority_max = 191;
  if (value > priority_max) return false;
  rest.remove_prefix(end + 1);
  return true;
}

// Takes a word and the space behind it away; nothing when there is no such space.
std::optional<std::string_view> take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return word;
}

// "[id name=\"value\"]" one or more times, or "-". In a value \", \\ and \] are escaped.
bool take_structured_data(std::string_view& rest) {
  if (rest.starts_with('-')) {
    rest.remove_prefix(1);
    return true;
  }
  if (!rest.starts_with('[')) return false;
  bool is_inside = false;
  bool is_quoted = false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (is_quoted && c == '\\') {
      ++i;
    } else if (c == '"' && is_inside) {
      is_quoted = !is_quoted;
    } else if (c == '[' && !is_inside) {
      is_inside = true;
    } else if (c == ']' && !is_quoted) {
      is_inside = false;
    } else if (!is_inside) {
      rest.remove_prefix(i);
      return true;
    }
  }
  rest = {};
  return !is_inside;
}

// Behind "<PRI>1 ": time, host, program, process, message id, data, then the text.
std::optional<std::string_view> text_of_5424(std::string_view rest) {
  constexpr int words = 5;
  for (int i = 0; i < words; ++i) {
    if (!take_word(rest)) return std::nullopt;
  }
  if (!take_structured_data(rest)) return std::nullopt;
  if (rest.empty()) return rest;
  if (!rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(1);
  if (rest.starts_with(bom)) rest.remove_prefix(bom.size());
  return rest;
}

// "Oct  1 22:14:15 ".
bool take_old_time(std::string_view& rest) {
  constexpr std::string_view form = "Mmm dd hh:mm:ss ";
  constexpr std::array<std::string_view, 12> months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (rest.size() < form.size()) return false;
  if (std::find(months.begin(), months.end(), rest.substr(0, 3)) == months.end()) return false;
  for (std::size_t i = 3; i < form.size(); ++i) {
    const bool is_letter = form[i] != ' ' && form[i] != ':';
    const bool fits =
        is_letter ? is_digit(rest[i]) || (i == 4 && rest[i] == ' ') : rest[i] == form[i];
    if (!fits) return false;
  }
  rest.remove_prefix(form.size());
  return true;
}

// "2003-08-24T05:14:15.000003-07:00 ", as rsyslog forwards.
bool take_iso_time(std::string_view& rest) {
  constexpr std::string_view form = "yyyy-mm-ddThh:mm:ss";
  if (rest.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool is_mark = form[i] == '-' || form[i] == 'T' || form[i] == ':';
    if (is_mark ? rest[i] != form[i] : !is_digit(rest[i])) return false;
  }
  return take_word(rest).has_value();
}

// "nginx:", "haproxy[123]:", "php-fpm(pool www)[1]:" has a space and is none.
bool is_tag(std::string_view word) {
  constexpr std::size_t bytes_max = 64;
  if (word.size() < 2 || word.size() > bytes_max || word.back() != ':') return false;
  word.remove_suffix(1);
  if (word.ends_with(']')) {
    const auto open = word.find('[');
    return open != std::string_view::npos && open > 0 && word.find(':') == word.npos;
  }
  return word.find_first_of(":[]\"") == std::string_view::npos;
}

// The word up to the next space, or all there is.
std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

// `nginx: text` and `haproxy[1]:text`, as some relays write it.
bool take_tag(std::string_view& rest) {
  const auto word = first_word(rest);
  if (is_tag(word)) {
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    return true;
  }
  const auto end = word.find("]:");
  if (end == std::string_view::npos || !is_tag(word.substr(0, end + 2))) return false;
  rest.remove_prefix(end + 2);
  return true;
}

std::string_view text_of_3164(std::string_view rest) {
  const bool has_time = take_old_time(rest) || take_iso_time(rest);
  if (take_tag(rest) || !has_time) return rest;
  (void)take_word(rest);  // the host
  (void)take_tag(rest);
  return rest;
}

}  // namespace

SyslogMessage parse_syslog(std::string_view frame) {
  while (!frame.empty() && (frame.back() == '\n' || frame.back() == '\0')) {
    frame.remove_suffix(1);
  }
  SyslogMessage message{frame, true};
  auto rest = frame;
  if (!take_priority(rest)) return SyslogMessage{frame, false};
  constexpr std::string_view version = "1 ";
  if (!rest.starts_with(version)) {
    message.text = text_of_3164(rest);
    return message;
  }
  if (const auto text = text_of_5424(rest.substr(version.size()))) {
    message.text = *text;
    return message;
  }
  return SyslogMessage{frame, false};
}

}  // namespace ringcast::ringlog
