// SPDX-License-Identifier: Apache-2.0
//
// What can be wrong with a machine that is up: its processor, its disk, its sends, its clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/base/time.hpp"

namespace ringcast::sim {

/// As constructed: nothing is wrong.
struct Condition {
  std::uint32_t slowness{1};  ///< everything costs so many times the processor time
  double sends_refused{0};    ///< share of datagrams that the kernel does not take
  bool disk_fails{false};     ///< writes fail, and are tried again every second
  Duration disk_delay{0};     ///< and take so much longer
  std::optional<std::size_t> receive_buffer_bytes;  ///< instead of the cluster's
};

/// Where a process can be made to end, after a number of more of these.
enum class FusePoint : std::uint8_t {
  send,      ///< datagrams
  token,     ///< datagrams after the next token: the tail of the data that follows it
  persist,   ///< writes to the disk: done, and never told to the node
  ordered,   ///< ordered events, in the middle of a delivery
  between,   ///< ordered events after the next transitional configuration
  delivery,  ///< writes to clients
};
inline constexpr std::size_t fuse_points = 6;

/// The clock a process sees: it runs at its own rate and may jump ahead, and never goes back.
class MachineClock {
 public:
  static constexpr std::int64_t true_rate = 1'000'000;

  [[nodiscard]] Instant shown(Instant real) const {
    return shown_ + (rate_ == true_rate ? real - since_
                                        : Duration{(real - since_).count() * rate_ / true_rate});
  }
  /// The first real instant at which the clock shows `shown` or more. Not before the last change.
  [[nodiscard]] Instant real(Instant shown) const {
    const Duration ahead = shown - shown_;
    if (ahead <= Duration{0}) return since_;
    if (rate_ == true_rate) return since_ + ahead;
    return since_ + Duration{(ahead.count() * true_rate + rate_ - 1) / rate_};
  }
  void set_rate(Instant now, std::int64_t per_million) {
    shown_ = shown(now);
    since_ = now;
    rate_ = per_million;
  }
  void jump(Instant now, Duration ahead) {
    shown_ = shown(now) + ahead;
    since_ = now;
  }

 private:
  Instant since_;
  Instant shown_;
  std::int64_t rate_{true_rate};
};

}  // namespace ringcast::sim
