// SPDX-License-Identifier: Apache-2.0
//
// Bounds that are part of the protocol itself: what a decoder refuses, and the constants
// those bounds rest on. What an operator may tune is in RingConfig and SessionConfig.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringcast {

inline constexpr std::size_t nodes_max = 128;               ///< daemons of one cluster
inline constexpr std::size_t datagram_bytes_limit = 65507;  ///< UDP over IPv4
inline constexpr std::uint32_t datagram_bytes_least = 512;  ///< every path carries so much
inline constexpr std::uint32_t window_packets_least = 16;
inline constexpr std::size_t retransmit_ranges_max = 96;     ///< on one token
inline constexpr std::size_t join_keys_max = 4 * nodes_max;  ///< restarts leave dead keys behind
inline constexpr std::uint32_t message_bytes_limit = (std::uint32_t{64} << 20U) + 16384;
inline constexpr std::uint64_t ring_seq_limit = std::uint64_t{1} << 62U;
inline constexpr std::uint64_t packet_seq_limit = std::uint64_t{1} << 62U;
inline constexpr std::uint64_t ring_seq_block = 1024;  ///< reserved at a time [MBR-3]

static_assert(retransmit_ranges_max * 12 + 128 < 1472, "a token fits an Ethernet frame");

}  // namespace ringcast
