// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/packer.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

constexpr std::size_t entry_room = entry_header_bytes + fragment_header_bytes;
// A tail of a packet smaller than this is left empty rather than filled with a fragment.
constexpr std::size_t smallest_fragment = 16;
constexpr std::size_t entries_max = 16384;

/// How many bytes of `message` go into `left` bytes of packet; 0: start the next packet. Fragments
/// fill a packet to its last byte: packets of one size leave in one system call.
std::size_t share(const Outgoing& message, std::size_t left, std::size_t room, bool packet_empty) {
  const std::size_t remaining = message.bytes.size() - message.sent;
  if (remaining + entry_header_bytes <= left) return remaining;
  const std::size_t fragment = left - (message.started ? entry_header_bytes : entry_room);
  if (packet_empty) return fragment;
  const bool fits_alone = !message.started && remaining + entry_header_bytes <= room;
  return fits_alone || fragment < smallest_fragment ? 0 : fragment;
}

}  // namespace

PackedEntries pack(SendQueue& queue, bool gate_open, std::size_t room, PackedEntries memory) {
  RC_ASSERT(room >= 256);
  memory.entries.clear();
  PackedEntries packed;
  packed.entries = std::move(memory.entries);
  while (packed.entries.size() < entries_max) {
    Outgoing* const message = queue.front(gate_open);
    if (message == nullptr) break;
    const bool is_safe = message->service == Service::safe;
    if (is_safe && !packed.safe && packed.messages_ended > 0) break;
    const std::size_t left = room - packed.bytes;
    if (left < entry_room) break;
    const std::size_t remaining = message->bytes.size() - message->sent;
    const std::size_t length = share(*message, left, room, packed.entries.empty());
    if (length == 0 && remaining != 0) break;

    Entry entry;
    entry.service = static_cast<std::uint8_t>(message->service);
    entry.first = !message->started;
    entry.last = length == remaining;
    entry.total = static_cast<std::uint32_t>(message->bytes.size());
    entry.bytes = message->bytes.slice(message->sent, length);
    message->started = true;
    message->sent += length;
    packed.bytes += entry_header_bytes + length;
    if (entry.first && !entry.last) packed.bytes += fragment_header_bytes;
    const bool last = entry.last;
    if (entry.first && !last) packed.begun = message->bytes;
    packed.entries.push_back(std::move(entry));
    if (!last) break;  // the packet is full
    packed.safe = packed.safe || is_safe;
    ++packed.messages_ended;
    queue.pop(gate_open);
  }
  RC_ASSERT(packed.bytes <= room);
  return packed;
}

}  // namespace ringcast
