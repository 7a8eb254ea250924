// SPDX-License-Identifier: Apache-2.0
#include "client/commands.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <poll.h>
#include <string_view>
#include <unistd.h>

namespace ringcast::bench {

void report_ready() {
  std::puts(R"({"event":"ready"})");
  std::fflush(stdout);
}

Result<std::optional<Clock::time_point>> CommandReader::read_start() {
  constexpr std::string_view word = "start ";
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, 0) <= 0) return std::optional<Clock::time_point>{};
  std::array<char, 64> bytes{};
  const auto got = ::read(fd_, bytes.data(), bytes.size());
  if (got <= 0) return Error{Errc::closed, "nobody is there to say when to start"};
  line_.append(bytes.data(), static_cast<std::size_t>(got));
  if (!line_.ends_with('\n')) return std::optional<Clock::time_point>{};
  std::int64_t nanoseconds{0};
  const auto* end = line_.data() + line_.size() - 1;
  const bool ours = line_.starts_with(word);
  if (!ours || std::from_chars(line_.data() + word.size(), end, nanoseconds).ptr != end) {
    return Error{Errc::malformed, "not a command: " + line_};
  }
  return std::optional(Clock::time_point(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace ringcast::bench
