// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/unpacker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

// Enough at once for most messages that need fragments at all.
constexpr std::size_t first_bytes = std::size_t{64} << 10U;
constexpr std::size_t growth = 16;

}  // namespace

void Unpacker::unpack(const Data& packet, bool transitional, std::vector<OrderedEvent>& out) {
  BufferRef content = packet.content();
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
  if (entry.first && entry.last) {
    drop(originator);
    return std::pair{std::move(entry.bytes), service};
  }
  if (entry.first) partial_[originator] = Partial{true, entry.total, 0, {}};

  const auto found = partial_.find(originator);
  if (found == partial_.end() || !found->second.is_open) {
    ++strays_;
    return std::nullopt;
  }
  Partial& partial = found->second;
  const std::size_t left = partial.total - partial.received;
  const bool fits = entry.last ? entry.bytes.size() == left : entry.bytes.size() < left;
  if (!fits) {
    ++strays_;
    partial = {};
    return std::nullopt;
  }
  append(partial, entry.bytes.bytes());
  if (!entry.last) return std::nullopt;
  std::pair whole{std::move(partial.bytes), service};
  partial = {};
  return whole;
}

void Unpacker::drop(NodeId originator) {
  if (partial_.empty()) return;
  const auto found = partial_.find(originator);
  if (found != partial_.end()) found->second = {};
}

// Grows to the total, but to no more than some times what has come; what is not used is not
// touched. So hardly anything is copied twice, and an announcement alone costs nothing.
void Unpacker::append(Partial& partial, std::span<const std::byte> part) {
  const std::size_t needed = partial.received + part.size();
  RC_ASSERT(needed <= partial.total);
  if (needed > partial.bytes.size()) {
    const auto room = std::max(first_bytes, growth * needed);
    auto grown = BufferRef::allocate(std::min(room, partial.total));
    const auto so_far = partial.bytes.bytes().first(partial.received);
    std::copy(so_far.begin(), so_far.end(), grown.writable().begin());
    partial.bytes = std::move(grown);
  }
  std::copy(part.begin(), part.end(), partial.bytes.writable().subspan(partial.received).begin());
  partial.received = needed;
}

}  // namespace ringcast
