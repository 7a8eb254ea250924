// SPDX-License-Identifier: Apache-2.0
//
// Interruption: tells a thread that waits in poll(2) to come back, once and for good.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

class Interruption {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Woken : std::uint8_t { ready, interrupted, deadline };

  Interruption();

  /// From any thread.
  void raise();
  [[nodiscard]] bool is_raised() const { return is_raised_; }
  /// Readable once it is raised.
  [[nodiscard]] int fd() const { return event_.get(); }
  /// Waits for the events (of poll) on `fd`, or for `readable` to be that; either may be -1. An
  /// interruption comes first.
  [[nodiscard]] Woken wait(
      int fd, short events, std::optional<Clock::time_point> deadline, int readable = -1) const;

 private:
  std::atomic<bool> is_raised_{false};
  Descriptor event_;
};

}  // namespace ringcast::ringlog
