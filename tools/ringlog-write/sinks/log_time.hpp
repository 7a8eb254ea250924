// SPDX-License-Identifier: Apache-2.0
//
// LogTime: strftime over times of receipt, one call per second and not per line.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

namespace ringcast::ringlog {

/// `time` in seconds since 1970, as local time or as UTC.
std::tm broken_down(std::int64_t time, bool is_utc);

class TimeFormat {
 public:
  TimeFormat(std::string format, bool is_utc) : format_(std::move(format)), is_utc_(is_utc) {}

  /// Valid until the next call.
  const std::string& at(std::int64_t time_ms);

 private:
  std::string format_;
  bool is_utc_;
  std::optional<std::int64_t> second_;
  std::string text_;
};

/// A format that strftime does not end with: an empty text, or one beyond this many bytes.
inline constexpr std::size_t time_text_bytes_max = 1024;

}  // namespace ringcast::ringlog
