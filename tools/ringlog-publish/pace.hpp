// SPDX-License-Identifier: Apache-2.0
//
// Pace: keeps a publisher from running away from the writers. The ring carries lines faster
// than a disk may take them, and a writer that falls too far behind is cut off by its daemon;
// so sending pauses while a writer that reports its progress is more than a few MiB of our
// records behind. One that stays behind without a word for some seconds is no longer waited
// for. Before the first one reports, sending pauses once after the same few MiB, for two seconds
// at most: the ring has them before a busy writer can have said a word. Pure bookkeeping; time is
// an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/message.hpp"

namespace ringcast::ringlog {

class Pace {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Pace(std::size_t behind_bytes_max, std::chrono::milliseconds patience)
      : behind_bytes_max_(behind_bytes_max), patience_(patience) {}

  /// A record of ours was ordered.
  void on_ordered(const Position& position, std::size_t bytes);
  /// A writer has written everything of ours up to `position`.
  void on_progress(const std::string& writer, const Position& position, Instant now);
  void on_session_end();

  /// Whether to send now.
  [[nodiscard]] bool may_send(Instant now);
  /// When a pause ends at the latest. Nothing: there is none.
  [[nodiscard]] std::optional<Instant> wake_up() const { return wake_up_; }
  /// Writers given up since the last call.
  std::vector<std::string> given_up();

 private:
  struct Writer {
    Position position;
    Instant heard;
  };

  [[nodiscard]] std::uint64_t behind(const Position& position) const;
  void wait_for_first(Instant now);

  std::size_t behind_bytes_max_;
  std::chrono::milliseconds patience_;
  std::map<Position, std::uint64_t> ordered_;  // -> bytes of ours up to and with it
  std::uint64_t total_{0};
  std::map<std::string, Writer> writers_;
  bool was_heard_{false};                // a writer, in this session
  std::optional<Instant> silent_since_;  // since so much was ordered that we wait for one
  std::optional<Instant> wake_up_;
  std::vector<std::string> given_up_;
};

}  // namespace ringcast::ringlog
