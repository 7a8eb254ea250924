// SPDX-License-Identifier: Apache-2.0
//
// Source: the OpenMetrics specification 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
#include "tools/ringlog-monitor/web/open_metrics.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "tools/common/utf8.hpp"

namespace ringcast::monitor {

namespace {

std::string_view to_string(OpenMetrics::Type type) {
  switch (type) {
    case OpenMetrics::Type::counter:
      return "counter";
    case OpenMetrics::Type::gauge:
      return "gauge";
    case OpenMetrics::Type::histogram:
      return "histogram";
    case OpenMetrics::Type::info:
      return "info";
  }
  return "unknown";
}

// A value has to be UTF-8, and two that differ must not become one: what is no plain text is
// written as \xHH first, and a backslash as two.
void append_label_value(std::string& out, std::string_view value) {
  std::string plain;
  tools::append_one_line(plain, value);
  for (const char letter : plain) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
}

}  // namespace

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  constexpr std::size_t digits_max = 32;
  std::array<char, digits_max> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  std::string text(digits.begin(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void OpenMetrics::family(
    std::string_view name, Type type, std::string_view unit, std::string_view help) {
  name_ = name;
  text_ += "# TYPE " + name_ + " ";
  text_ += to_string(type);
  if (!unit.empty()) (text_ += "\n# UNIT " + name_ + " ") += unit;
  (text_ += "\n# HELP " + name_ + " ") += help;
  text_ += "\n";
}

void OpenMetrics::begin_sample(std::string_view suffix, Labels labels) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [name, value] : labels) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    append_label_value(text_, value);
    text_ += '"';
    separator = ',';
  }
  text_ += labels.size() > 0 ? "} " : " ";
}

void OpenMetrics::sample(std::string_view suffix, Labels labels, std::uint64_t value) {
  begin_sample(suffix, labels);
  text_ += std::to_string(value) + "\n";
}

void OpenMetrics::sample(std::string_view suffix, Labels labels, double value) {
  begin_sample(suffix, labels);
  text_ += number_text(value) + "\n";
}

std::string OpenMetrics::finish() && {
  text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace ringcast::monitor
