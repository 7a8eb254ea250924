// SPDX-License-Identifier: Apache-2.0
//
// strftime, remembered.
#include "tools/ringlog-write/sinks/log_time.hpp"

#include <array>

namespace ringcast::ringlog {

namespace {

constexpr std::int64_t ms_per_second = 1000;

}  // namespace

std::tm broken_down(std::int64_t time, bool is_utc) {
  std::tm parts{};
  const auto seconds = static_cast<std::time_t>(time);
  if (is_utc) {
    (void)::gmtime_r(&seconds, &parts);
  } else {
    (void)::localtime_r(&seconds, &parts);
  }
  return parts;
}

const std::string& TimeFormat::at(std::int64_t time_ms) {
  const auto second = time_ms / ms_per_second;
  if (second_ == second) return text_;
  second_ = second;
  const auto parts = broken_down(second, is_utc_);
  std::array<char, time_text_bytes_max> text{};
  text_.assign(text.data(), std::strftime(text.data(), text.size(), format_.c_str(), &parts));
  return text_;
}

}  // namespace ringcast::ringlog
