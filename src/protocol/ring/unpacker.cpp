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
    auto whole = take(packet.originator, next_entry(content));
    if (!whole) continue;
    out.emplace_back(OrderedMessage{
        .configuration = packet.ring,
        .seq = packet.seq,
        .index = index,
        .originator = packet.originator,
        .service = whole->second,
        .transitional = transitional,
        .payload = std::move(whole->first)});
  }
}

std::optional<std::pair<BufferRef, Service>> Unpacker::take(NodeId originator, Entry entry) {
  const auto service = static_cast<Service>(entry.service);
  if (entry.first) partial_.erase(originator);
  if (entry.first && entry.last) return std::pair{std::move(entry.bytes), service};
  if (entry.first) partial_.emplace(originator, Partial{BufferRef::allocate(entry.total), 0});

  const auto found = partial_.find(originator);
  if (found == partial_.end()) {
    ++strays_;
    return std::nullopt;
  }
  Partial& partial = found->second;
  const std::size_t left = partial.bytes.size() - partial.received;
  const bool fits = entry.last ? entry.bytes.size() == left : entry.bytes.size() < left;
  if (!fits) {
    ++strays_;
    partial_.erase(found);
    return std::nullopt;
  }
  const auto part = entry.bytes.bytes();
  std::copy(part.begin(), part.end(), partial.bytes.writable().subspan(partial.received).begin());
  partial.received += part.size();
  if (!entry.last) return std::nullopt;
  std::pair whole{std::move(partial.bytes), service};
  partial_.erase(found);
  return whole;
}

}  // namespace ringcast
