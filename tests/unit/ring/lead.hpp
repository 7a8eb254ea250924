// SPDX-License-Identifier: Apache-2.0
//
// What the test says as `lead`: the daemon with the smallest id, and so the representative of
// every ring it is in.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ringcast/service.hpp"

#include "protocol/wire/codec.hpp"

namespace ringcast::ring_test {

inline constexpr NodeKey lead{NodeId{5}, BootId{7}};

/// What a member that comes from `old_ring` with nothing of it tells in the commit token.
inline CommitEntry told(const NodeKey& member, const RingId& old_ring) {
  CommitEntry entry;
  entry.member = member;
  entry.filled = true;
  entry.old_ring = old_ring;
  entry.datagram_bytes = 1472;
  entry.window_bytes = 70000;
  entry.window_packets = 8192;
  return entry;
}

/// A packet with one whole message, by default of lead.
inline Data packet(
    const RingId& ring,
    std::uint64_t seq,
    std::string_view text,
    Service service = Service::agreed,
    NodeId originator = lead.node) {
  Data data;
  data.ring = ring;
  data.seq = Seq{seq};
  data.originator = originator;
  data.safe = service == Service::safe;
  Entry entry;
  entry.service = static_cast<std::uint8_t>(service);
  entry.bytes = BufferRef::copy_of(text);
  const std::vector<Entry> entries{entry};
  encode_data(data, entries);
  return data;
}

}  // namespace ringcast::ring_test
