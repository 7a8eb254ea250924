// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/unpacker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/wire/codec.hpp"

namespace ringcast {

void Unpacker::unpack(const Data& packet, bool transitional, std::vector<OrderedEvent>& out) {
  BufferRef content = packet.content;
  for (std::uint16_t index = 0; index < packet.entries; ++index) {
    Entry entry = next_entry(content);
    BufferRef whole;
    if (entry.first && entry.last) {
      partial_.erase(packet.originator);
      whole = std::move(entry.bytes);
    } else {
      auto found = partial_.find(packet.originator);
      if (entry.first) {
        partial_.erase(packet.originator);
        found =
            partial_.emplace(packet.originator, Partial{BufferRef::allocate(entry.total), 0}).first;
      }
      if (found == partial_.end()) {
        ++strays_;
        continue;
      }
      Partial& partial = found->second;
      const std::size_t left = partial.bytes.size() - partial.received;
      const bool fits = entry.last ? entry.bytes.size() == left : entry.bytes.size() < left;
      if (!fits) {
        ++strays_;
        partial_.erase(found);
        continue;
      }
      const auto part = entry.bytes.bytes();
      std::copy(
          part.begin(), part.end(), partial.bytes.writable().subspan(partial.received).begin());
      partial.received += part.size();
      if (!entry.last) continue;
      whole = std::move(partial.bytes);
      partial_.erase(found);
    }
    out.emplace_back(OrderedMessage{
        .configuration = packet.ring,
        .seq = packet.seq,
        .index = index,
        .originator = packet.originator,
        .service = static_cast<Service>(entry.service),
        .transitional = transitional,
        .payload = std::move(whole)});
  }
}

}  // namespace ringcast
