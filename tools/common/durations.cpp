// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing durations with a unit.
#include "tools/common/durations.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace ringcast::tools {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array units = {
    Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}, Unit{"ms", 1}};

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  Error error{
      Errc::invalid_argument,
      "\"" + std::string(text.substr(0, 40)) +
          "\" is not a duration: write a whole number and a unit, like 500ms, 2s, 1m or 1h"};
  std::int64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto digits = std::from_chars(text.data(), end, number);
  if (digits.ec != std::errc{} || number < 0) return error;
  const std::string_view rest = text.substr(static_cast<std::size_t>(digits.ptr - text.data()));
  constexpr std::chrono::milliseconds max = duration_max;
  for (const auto& unit : units) {
    if (unit.name != rest) continue;
    if (number > max.count() / unit.milliseconds) {
      error.message = "duration \"" + std::string(text.substr(0, 40)) +
                      "\" is too long: the longest is " + to_string(max);
      return error;
    }
    return std::chrono::milliseconds{number * unit.milliseconds};
  }
  return error;
}

std::string to_string(std::chrono::milliseconds duration) {
  for (const auto& unit : units) {
    if (duration.count() != 0 && duration.count() % unit.milliseconds == 0) {
      return std::to_string(duration.count() / unit.milliseconds) + std::string(unit.name);
    }
  }
  return "0s";
}

}  // namespace ringcast::tools
