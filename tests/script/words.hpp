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
  if (text.size() > 2 && text.substr(text.size() - 2) == "ms")
    return std::chrono::milliseconds{number};
  if (text.size() > 2 && text.substr(text.size() - 2) == "us")
    return std::chrono::microseconds{number};
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

}  // namespace ringcast::script
