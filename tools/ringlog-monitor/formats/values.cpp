// SPDX-License-Identifier: Apache-2.0
//
// Hand-written for speed: these run several times for every line.
#include "tools/ringlog-monitor/formats/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace ringcast::monitor {

namespace {

constexpr std::int64_t exact_max = std::int64_t{1} << 53U;
constexpr std::array<std::string_view, 12> months = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes parts off the front of a text and remembers whether all of them fitted.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  // Exactly so many digits.
  int digits(std::size_t count) {
    int value = 0;
    for (const char digit : take(count)) {
      ok_ = ok_ && digit >= '0' && digit <= '9';
      value = 10 * value + (digit - '0');
    }
    return value;
  }
  void literal(char wanted) {
    const auto text = take(1);
    ok_ = ok_ && text == std::string_view(&wanted, 1);
  }
  unsigned month() {
    const auto* const found = std::find(months.begin(), months.end(), take(3));
    ok_ = ok_ && found != months.end();
    return static_cast<unsigned>(found - months.begin()) + 1;
  }
  // .123 or ,123 of any length, if it is there.
  std::chrono::milliseconds fraction() {
    if (rest_.empty() || (rest_.front() != '.' && rest_.front() != ',')) return {};
    rest_.remove_prefix(1);
    int value = 0;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count) {
      if (count < 3) value = 10 * value + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    ok_ = ok_ && count > 0;
    for (; count < 3; ++count) {
      value *= 10;
    }
    return std::chrono::milliseconds(value);
  }
  // +0200, +02:00, Z or nothing, to the end of the text.
  std::chrono::minutes zone() {
    if (rest_.empty()) return {};
    if (rest_ == "Z") {
      rest_ = {};
      return {};
    }
    const bool is_west = rest_.front() == '-';
    if (!is_west) literal('+');
    if (is_west) rest_.remove_prefix(1);
    const int hours = digits(2);
    if (!rest_.empty() && rest_.front() == ':') rest_.remove_prefix(1);
    const int offset = 60 * hours + digits(2);
    return std::chrono::minutes(is_west ? -offset : offset);
  }
  [[nodiscard]] bool begins_with(char wanted) const {
    return !rest_.empty() && rest_.front() == wanted;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (rest_.size() < count) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto part = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return part;
  }

  std::string_view rest_;
  bool ok_{true};
};

struct ClockTime {
  int hour{0};
  int minute{0};
  int second{0};
  std::chrono::milliseconds fraction{0};
};

ClockTime take_clock_time(Parts& parts) {
  ClockTime time;
  time.hour = parts.digits(2);
  parts.literal(':');
  time.minute = parts.digits(2);
  parts.literal(':');
  time.second = parts.digits(2);
  time.fraction = parts.fraction();
  return time;
}

std::optional<LogTime> combine(
    const std::chrono::year_month_day& date, const ClockTime& time, std::chrono::minutes zone) {
  const bool is_valid = date.ok() && time.hour < 24 && time.minute < 60 && time.second <= 60;
  if (!is_valid) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(time.hour) +
         std::chrono::minutes(time.minute) + std::chrono::seconds(time.second) + time.fraction -
         zone;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_decimal(std::string_view text, std::int64_t unit) {
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = parse_number(text.substr(0, point));
  if (!whole || *whole > static_cast<std::uint64_t>(exact_max / unit)) return std::nullopt;
  auto value = static_cast<std::int64_t>(*whole) * unit;
  if (point == text.size()) return value;
  auto place = unit;
  for (const char digit : text.substr(point + 1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    place /= 10;
    value += place * (digit - '0');
  }
  return value;
}

std::optional<LogTime> parse_common_time(std::string_view text) {
  Parts parts(text);
  const int day = parts.digits(2);
  parts.literal('/');
  const unsigned month = parts.month();
  parts.literal('/');
  const int year = parts.digits(4);
  parts.literal(':');
  const auto time = take_clock_time(parts);
  if (parts.begins_with(' ')) parts.literal(' ');
  const auto zone = parts.zone();
  if (!parts.done()) return std::nullopt;
  return combine(
      std::chrono::year(year) / std::chrono::month(month) /
          std::chrono::day(static_cast<unsigned>(day)),
      time,
      zone);
}

std::optional<LogTime> parse_iso8601(std::string_view text) {
  Parts parts(text);
  const int year = parts.digits(4);
  parts.literal('-');
  const int month = parts.digits(2);
  parts.literal('-');
  const int day = parts.digits(2);
  parts.literal(parts.begins_with(' ') ? ' ' : 'T');
  const auto time = take_clock_time(parts);
  const auto zone = parts.zone();
  if (!parts.done()) return std::nullopt;
  return combine(
      std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
          std::chrono::day(static_cast<unsigned>(day)),
      time,
      zone);
}

std::string_view without_query(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace ringcast::monitor
