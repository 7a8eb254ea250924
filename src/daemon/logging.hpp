// SPDX-License-Identifier: Apache-2.0
//
// The daemon's log: one event one line on stderr, "key=value" after the sentence. Owns the
// spdlog set-up; turns the protocol's trace events into lines, and holds back warnings that
// repeat themselves.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/trace.hpp"

namespace ringcast {

/// What parse_trace_level() understands, for messages.
inline constexpr std::string_view trace_levels = "error, warn, info, debug or trace";
std::optional<TraceLevel> parse_trace_level(std::string_view text);

/// Colours when stderr is a terminal. Call once, before anything is logged.
void start_logging(TraceLevel level);
void set_log_level(TraceLevel level);

/// Lets a few lines of a kind through in each interval and counts the others.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(std::uint32_t lines, Clock::duration interval) : lines_(lines), interval_(interval) {}

  /// Nothing: hold this one back. Else how many of that kind were held back before it.
  std::optional<std::uint64_t> admit(const std::string& kind, Clock::time_point now);

 private:
  struct Bucket {
    Clock::time_point begins;
    std::uint32_t shown{0};
    std::uint64_t held_back{0};
  };

  std::uint32_t lines_;
  Clock::duration interval_;
  std::map<std::string, Bucket> buckets_;
};

/// A warning that may repeat, held back by `limit` under its `kind`.
void warn_limited(RateLimit& limit, const std::string& kind, const std::string& sentence);

/// The line of a trace event, without its level: "text kind=... ring=... seq=... count=...".
std::string trace_line(const TraceEvent& event);

class TraceLog final : public TraceSink {
 public:
  [[nodiscard]] bool listens(TraceKind kind, TraceLevel level) const override;
  void trace(const TraceEvent& event) override;

 private:
  RateLimit limit_{5, std::chrono::seconds{10}};
};

}  // namespace ringcast
