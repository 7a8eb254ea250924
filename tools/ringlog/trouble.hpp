// SPDX-License-Identifier: Apache-2.0
//
// Trouble: one thing that fails again and again, such as writing to a full disk. Says when to
// try again, with growing pauses, and whether the failure is news: the same sentence is told
// once until it changes, or until all went well for a while.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ringcast::ringlog {

class Trouble {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit Trouble(std::chrono::milliseconds pause_max = std::chrono::seconds(5))
      : pause_max_(pause_max) {}

  [[nodiscard]] bool may_try(Instant now) const { return !retry_at_ || now >= *retry_at_; }
  /// When to try again; nothing while all goes well.
  [[nodiscard]] std::optional<Instant> retry_at() const { return retry_at_; }
  /// It failed. True when that was not said before.
  bool on_failure(const std::string& what, Instant now);
  /// True when it had failed the last time.
  bool on_success(Instant now);

 private:
  std::chrono::milliseconds pause_max_;
  std::string said_;
  Instant failed_at_{};
  std::optional<Instant> retry_at_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace ringcast::ringlog
