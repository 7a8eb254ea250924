// SPDX-License-Identifier: Apache-2.0
//
// Message: what clients of the comparison send one another, the same bytes over every system.
// A head (kind, sender, number, time of sending) at the front, and the number once more at the
// end, so that a message that lost its tail or is put together from two is found out.
//
// Numbers are in the byte order of the machine: all clients run on one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ringcast::bench {

/// CLOCK_MONOTONIC, which all network namespaces of a machine share: a difference of two clients'
/// readings is exact.
using Clock = std::chrono::steady_clock;
static_assert(Clock::is_steady);

enum class Kind : std::uint8_t {
  hello = 1,  ///< I hear you; before the start only
  data = 2,
  last = 3,  ///< number says how many data messages went before
};

struct Head {
  Kind kind{Kind::data};
  std::uint32_t sender{0};
  std::uint64_t number{0};
  std::optional<Clock::time_point> sent;  ///< only messages whose latency is of interest
};

inline constexpr std::size_t message_bytes_min = 32;

/// Makes `message` carry `head`. REQUIRES: message.size() >= message_bytes_min.
void write_head(std::span<std::byte> message, const Head& head);

/// Nothing when no message of ours begins and ends like that.
std::optional<Head> read_head(std::span<const std::byte> message);

}  // namespace ringcast::bench
