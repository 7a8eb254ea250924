// SPDX-License-Identifier: Apache-2.0
//
// Packer: messages -> the entries of one packet. Small messages share a packet, a message
// longer than a packet becomes fragments. Its mirror is Unpacker.
//
// A packet is marked safe when a safe message ends in it; so that an agreed message never
// waits for a later safe one, such a packet takes no safe message behind agreed ones [ORD-7].
#pragma once

#include <cstddef>
#include <vector>

#include "protocol/ring/send_queue.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {

struct PackedEntries {
  std::vector<Entry> entries;
  bool safe{false};
  std::size_t bytes{0};  ///< of entries with their headers
  std::size_t messages_ended{0};
  BufferRef begun;  ///< the whole message whose first fragment, not the last, is the last entry
};

/// Takes from the front of `queue` what fits into `room` bytes of entries; empty when nothing
/// is ready. `memory` is what an earlier call returned, to be used again. REQUIRES: room >= 256.
PackedEntries pack(SendQueue& queue, bool gate_open, std::size_t room, PackedEntries memory = {});

}  // namespace ringcast
