// SPDX-License-Identifier: Apache-2.0
//
// What the words of a command mean, whatever the command.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/time.hpp"

namespace ringcast::script {

inline std::uint64_t to_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "40ms", "2s", "100us".
inline Duration to_duration(std::string_view text) {
  const auto number = static_cast<Duration::rep>(to_number(text));
  const std::string_view unit = text.size() > 2 ? text.substr(text.size() - 2) : "";
  if (unit == "ms") return std::chrono::milliseconds{number};
  if (unit == "us") return std::chrono::microseconds{number};
  return std::chrono::seconds{number};
}

inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// The value of NAME=VALUE among the words.
inline std::optional<std::string> value_of(
    const std::vector<std::string>& words, const std::string& name) {
  for (const std::string& word : words) {
    if (word.rfind(name + "=", 0) == 0) return word.substr(name.size() + 1);
  }
  return std::nullopt;
}

inline bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "n08..n11" is n08 n09 n10 n11.
inline std::vector<std::string> expand(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    const std::size_t dots = word.find("..");
    if (dots == std::string::npos) {
      names.push_back(word);
      continue;
    }
    const std::size_t digits = word.find_first_of("0123456789");
    const std::uint64_t last = to_number(std::string_view{word}.substr(dots + 2 + digits));
    for (std::uint64_t i = to_number(std::string_view{word}.substr(digits)); i <= last; ++i) {
      std::string number = std::to_string(i);
      number.insert(0, dots - digits - std::min(number.size(), dots - digits), '0');
      names.push_back(word.substr(0, digits) + number);
    }
  }
  return names;
}

constexpr std::size_t names_max = 16;

inline std::string in_braces(const std::vector<std::string>& names) {
  if (names.size() > names_max) return "{" + std::to_string(names.size()) + " daemons}";
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ",") + name;
  }
  return "{" + text + "}";
}

}  // namespace ringcast::script
