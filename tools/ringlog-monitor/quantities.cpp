// SPDX-License-Identifier: Apache-2.0
//
// Formatting; the only printf of the monitor.
#include "tools/ringlog-monitor/quantities.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utf8.h>

#include "tools/common/utf8.hpp"

namespace ringcast::monitor {

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 63))};
}

constexpr double thousand = 1000;
constexpr double hundred = 100;

// Three digits at least, never more than one after the point.
std::string scaled(double value, const char* unit) {
  return value < hundred ? format("%.1f%s", value, unit) : format("%.0f%s", value, unit);
}

}  // namespace

std::string short_number(double value) {
  constexpr std::array units = {"k", "M", "G", "T", "P", "E"};
  if (value < thousand) return format("%.0f", value);
  std::size_t unit = 0;
  value /= thousand;
  while (value >= thousand && unit + 1 < units.size()) {
    value /= thousand;
    ++unit;
  }
  return scaled(value, units.at(unit));
}

std::string short_rate(double per_second) {
  return per_second < thousand ? format("%.1f", per_second) : short_number(per_second);
}

std::string percent(double share) { return format("%.1f%%", hundred * share); }

std::string short_latency(std::uint64_t microseconds) {
  const auto value = static_cast<double>(microseconds);
  if (value < thousand) return format("%.0fus", value);
  if (value < thousand * thousand) return scaled(value / thousand, "ms");
  return scaled(value / thousand / thousand, "s");
}

std::string short_duration(std::chrono::seconds duration) {
  const std::chrono::hh_mm_ss parts(duration);
  const auto hours = static_cast<long>(parts.hours().count());
  const auto minutes = static_cast<long>(parts.minutes().count());
  const auto seconds = static_cast<long>(parts.seconds().count());
  if (hours > 0) return format("%ld:%02ld:%02ld", hours, minutes, seconds);
  if (minutes > 0) return format("%ld:%02ld", minutes, seconds);
  return format("%lds", seconds);
}

std::string clock_time(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::hh_mm_ss parts(std::chrono::floor<std::chrono::seconds>(instant - day));
  return format(
      "%02ld:%02ld:%02ld",
      static_cast<long>(parts.hours().count()),
      static_cast<long>(parts.minutes().count()),
      static_cast<long>(parts.seconds().count()));
}

std::string utc(Instant instant) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(instant));
  return format(
             "%04d-%02u-%02uT",
             static_cast<int>(date.year()),
             static_cast<unsigned>(date.month()),
             static_cast<unsigned>(date.day())) +
         clock_time(instant) + "Z";
}

std::string right(std::string_view text, std::size_t columns) {
  std::string padded(columns > text.size() ? columns - text.size() : 0, ' ');
  padded += text;
  return padded;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(utf8::unchecked::distance(text.begin(), text.end()));
}

std::string left(std::string_view text, std::size_t columns) {
  std::string padded(text);
  const auto width = columns_of(text);
  padded.append(columns > width ? columns - width : 0, ' ');
  return padded;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  const auto* at = text.begin();
  for (std::size_t width = 0; width + 1 < columns; ++width) {
    (void)utf8::unchecked::next(at);
  }
  std::string cut(text.begin(), at);
  return cut + "~";
}

std::string shown(std::string_view bytes, std::size_t columns) {
  std::string text;
  // No character takes more than four bytes; what lies behind is cut anyhow.
  constexpr std::size_t character_bytes_max = 4;
  tools::append_one_line(text, bytes.substr(0, character_bytes_max * (columns + 1)));
  return fitted(text, columns);
}

}  // namespace ringcast::monitor
