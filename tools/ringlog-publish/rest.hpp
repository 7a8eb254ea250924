// SPDX-License-Identifier: Apache-2.0
//
// Rest: for how long a source looks away after it has read all there was. Whoever writes to a
// pipe or a socket at which somebody waits must wake him, which costs a web server more than the
// write itself; and lines that are read together are sent together. The first line after a quiet
// time is read at once. A rest is so short that at the rate seen last a quarter of the kernel's
// buffer fills meanwhile. Time is an argument.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace ringcast::ringlog {

class Rest {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit Rest(std::chrono::milliseconds longest) : longest_(longest) {}

  /// All was read; since the last call there was `share` of what the kernel's buffer holds, 1
  /// being all of it.
  void begin(double share, Instant now) {
    constexpr std::chrono::milliseconds shortest{2};
    constexpr double filled = 0.25;
    const std::chrono::duration<double> since = now - looked_;
    looked_ = now;
    if (share <= 0) return;
    const auto pause = std::min<std::chrono::duration<double>>(since * filled / share, longest_);
    if (pause < shortest) return;
    until_ = now + std::chrono::duration_cast<Instant::duration>(pause);
  }

  [[nodiscard]] bool is_on(Instant now) const { return until_ && now < *until_; }
  /// When it ends; nothing: there is none.
  [[nodiscard]] std::optional<Instant> end(Instant now) const {
    return is_on(now) ? until_ : std::nullopt;
  }
  void cancel() { until_.reset(); }

 private:
  std::chrono::milliseconds longest_;
  Instant looked_;
  std::optional<Instant> until_;
};

/// The earlier of two moments, either of which may never come.
template <class Moment>
std::optional<Moment> earlier(std::optional<Moment> one, std::optional<Moment> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace ringcast::ringlog
