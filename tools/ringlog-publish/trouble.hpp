// SPDX-License-Identifier: Apache-2.0
//
// Trouble: one thing that fails again and again, such as writing to a full disk. Says when to
// try again, with growing pauses, and whether the failure is news: the same sentence is told
// once until it changes or until it went well in between.
#pragma once

#include <chrono>
#include <string>

namespace ringcast::ringlog {

class Trouble {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  [[nodiscard]] bool may_try(Instant now) const { return now >= retry_at_; }
  /// It failed. True when that was not said before.
  bool on_failure(const std::string& what, Instant now);
  void on_success();
  [[nodiscard]] bool is_failing() const { return !said_.empty(); }

 private:
  std::string said_;
  Instant retry_at_{};
  std::chrono::milliseconds pause_{0};
};

}  // namespace ringcast::ringlog
