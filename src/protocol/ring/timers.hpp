// SPDX-License-Identifier: Apache-2.0
//
// Timers of the ring: a table of deadlines, nothing more. The state asks "is this one due?",
// the driver asks "when is the earliest?". What an expiry means is in the state's file.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/base/time.hpp"

namespace ringcast {

enum class Timer : std::uint8_t {
  token_loss,        ///< no token arrived for too long
  token_retransmit,  ///< nobody shows signs of having our token: send it again
  token_hold,        ///< an idle token has rested long enough
  wakeup,            ///< the ring sleeps though we have something to send: say so again
  join,              ///< send our join again
  consensus,         ///< whoever has not agreed by now is failed
  probe,             ///< look for daemons outside the ring
};
/// After a change of who is reached, the probe timer waits so long for what comes with it.
inline constexpr Duration news_delay = std::chrono::milliseconds{5};
/// Who asks anew for an address on the link asks once a second (RFC 1122, 2.3.2.1; RFC 4861, 10):
/// after a cut the ways open within that.
inline constexpr Duration ways_open = std::chrono::seconds{1};
inline constexpr std::size_t timer_count = static_cast<std::size_t>(Timer::probe) + 1;

class TimerTable {
 public:
  void arm(Timer timer, Instant at) { deadlines_[index(timer)] = at; }
  void disarm(Timer timer) { deadlines_[index(timer)].reset(); }
  void disarm_all() { deadlines_ = {}; }
  [[nodiscard]] bool armed(Timer timer) const { return deadlines_[index(timer)].has_value(); }

  /// Nothing: not armed.
  [[nodiscard]] std::optional<Instant> deadline(Timer timer) const {
    return deadlines_[index(timer)];
  }

  /// True once per arming, when its time has come.
  bool take_due(Timer timer, Instant now) {
    auto& deadline = deadlines_[index(timer)];
    if (!deadline || *deadline > now) return false;
    deadline.reset();
    return true;
  }

  [[nodiscard]] std::optional<Instant> earliest() const {
    std::optional<Instant> first;
    for (const auto& deadline : deadlines_) {
      if (deadline && (!first || *deadline < *first)) first = deadline;
    }
    return first;
  }

 private:
  static constexpr std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
  std::array<std::optional<Instant>, timer_count> deadlines_{};
};

}  // namespace ringcast
