// SPDX-License-Identifier: Apache-2.0
#include "daemon/udp_batches.hpp"

#include <algorithm>

namespace ringcast {
namespace {

bool same_destinations(const Addressed& a, const Addressed& b) {
  return std::equal(
      a.destinations.begin(), a.destinations.end(), b.destinations.begin(), b.destinations.end());
}

/// `run` has the same destinations throughout.
void append_run(std::span<const Addressed> run, std::vector<PacketCopy>& outgoing) {
  for (const auto destination : run.front().destinations) {
    for (const auto& packet : run) {
      outgoing.push_back(
          PacketCopy{.packet = packet.packet, .destination = destination, .bytes = packet.bytes});
    }
  }
}

/// How many packets from `first` on fit one segmented message.
std::uint32_t segments_from(std::span<const PacketCopy> outgoing, std::size_t first) {
  const auto& head = outgoing[first];
  std::size_t total{head.bytes};
  std::size_t next = first + 1;
  while (next < outgoing.size() && next - first < batch_segments_max) {
    const auto& packet = outgoing[next];
    if (packet.destination != head.destination || packet.bytes > head.bytes) break;
    if (packet.bytes == 0 || total + packet.bytes > batch_bytes_max) break;
    total += packet.bytes;
    ++next;
    if (packet.bytes < head.bytes) break;
  }
  return static_cast<std::uint32_t>(next - first);
}

}  // namespace

std::vector<PacketCopy> spread_out(std::span<const Addressed> packets) {
  std::vector<PacketCopy> outgoing;
  while (!packets.empty()) {
    std::size_t length{1};
    while (length < packets.size() && same_destinations(packets[0], packets[length])) {
      ++length;
    }
    append_run(packets.first(length), outgoing);
    packets = packets.subspan(length);
  }
  return outgoing;
}

std::vector<SendBatch> plan_batches(std::span<const PacketCopy> outgoing, bool segmentation) {
  std::vector<SendBatch> batches;
  std::size_t first{0};
  while (first < outgoing.size()) {
    const auto count = segmentation ? segments_from(outgoing, first) : 1;
    batches.push_back(SendBatch{
        .first = static_cast<std::uint32_t>(first),
        .count = count,
        .segment_bytes = count > 1 ? outgoing[first].bytes : 0});
    first += count;
  }
  return batches;
}

}  // namespace ringcast
