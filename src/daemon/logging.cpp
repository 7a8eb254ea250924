// SPDX-License-Identifier: Apache-2.0
#include "daemon/logging.hpp"

#include <array>
#include <utility>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace ringcast {
namespace {

spdlog::level::level_enum native(TraceLevel level) {
  switch (level) {
    case TraceLevel::error:
      return spdlog::level::err;
    case TraceLevel::warn:
      return spdlog::level::warn;
    case TraceLevel::info:
      return spdlog::level::info;
    case TraceLevel::debug:
      return spdlog::level::debug;
    case TraceLevel::trace:
      return spdlog::level::trace;
  }
  return spdlog::level::info;
}

}  // namespace

std::optional<TraceLevel> parse_trace_level(std::string_view text) {
  constexpr std::array levels{
      TraceLevel::error, TraceLevel::warn, TraceLevel::info, TraceLevel::debug, TraceLevel::trace};
  for (const auto level : levels) {
    if (to_string(level) == text) return level;
  }
  return std::nullopt;
}

void start_logging(TraceLevel level) {
  auto logger = std::make_shared<spdlog::logger>(
      "ringcastd", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
}

void set_log_level(TraceLevel level) { spdlog::set_level(native(level)); }

std::optional<std::uint64_t> RateLimit::admit(const std::string& kind, Clock::time_point now) {
  auto& bucket = buckets_[kind];
  if (bucket.shown == 0 || now - bucket.begins >= interval_) {
    bucket.begins = now;
    bucket.shown = 0;
  }
  if (bucket.shown >= lines_) {
    ++bucket.held_back;
    return std::nullopt;
  }
  ++bucket.shown;
  return std::exchange(bucket.held_back, 0);
}

void warn_limited(RateLimit& limit, const std::string& kind, const std::string& sentence) {
  const auto held_back = limit.admit(kind, RateLimit::Clock::now());
  if (!held_back) return;
  if (*held_back > 0) {
    spdlog::warn("{} held_back={}", sentence, *held_back);
  } else {
    spdlog::warn("{}", sentence);
  }
}

std::string trace_line(const TraceEvent& event) {
  std::string line = event.text;
  if (!line.empty()) line += ' ';
  line += "event=";
  line += to_string(event.kind);
  if (event.ring.seq != 0) line += " ring=" + to_string(event.ring);
  if (event.seq.value != 0) line += " seq=" + std::to_string(event.seq.value);
  if (event.count != 0) line += " count=" + std::to_string(event.count);
  return line;
}

bool TraceLog::listens(TraceKind /*kind*/, TraceLevel level) const {
  return spdlog::should_log(native(level));
}

void TraceLog::trace(const TraceEvent& event) {
  const auto level = native(event.level);
  if (!spdlog::should_log(level)) return;
  auto line = trace_line(event);
  if (event.level == TraceLevel::warn || event.level == TraceLevel::error) {
    const auto held_back =
        limit_.admit(std::string(to_string(event.kind)), RateLimit::Clock::now());
    if (!held_back) return;
    if (*held_back > 0) line += " held_back=" + std::to_string(*held_back);
  }
  spdlog::log(level, "{}", line);
}

}  // namespace ringcast
