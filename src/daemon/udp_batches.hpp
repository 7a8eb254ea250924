// SPDX-License-Identifier: Apache-2.0
//
// How datagrams are put together for one sendmmsg: with segmentation offload, equal-sized
// packets in a row for one destination travel as one message, of which only the last packet
// may be shorter. A pure function of sizes and destinations, so it can be tested without
// a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringcast {

/// A packet for one destination; `packet` and `destination` are indices the caller knows.
struct PacketCopy {
  std::uint32_t packet{0};
  std::uint32_t destination{0};
  std::uint32_t bytes{0};
};

/// One message of a sendmmsg: the outgoing packets [first, first + count).
struct SendBatch {
  std::uint32_t first{0};
  std::uint32_t count{0};
  std::uint32_t segment_bytes{0};  ///< 0: a single packet, no segmentation
};

/// Largest payload of one segmented message: what fits an IP packet of either family.
inline constexpr std::size_t batch_bytes_max = 65487;
inline constexpr std::size_t batch_segments_max = 64;

/// A packet addressed to several destinations, as the node orders it.
struct Addressed {
  std::uint32_t packet{0};
  std::uint32_t bytes{0};
  std::span<const std::uint32_t> destinations;
};

/// One PacketCopy per packet and destination. Runs of packets for the same destinations are
/// turned so that each destination's packets follow one another; the order at every
/// destination, and of the runs, stays.
std::vector<PacketCopy> spread_out(std::span<const Addressed> packets);

/// ENSURES: the batches cover `outgoing` in order, without gap.
std::vector<SendBatch> plan_batches(std::span<const PacketCopy> outgoing, bool segmentation);

}  // namespace ringcast
