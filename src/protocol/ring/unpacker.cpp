// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/unpacker.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

// Enough at once for most messages that need fragments at all.
constexpr std::size_t first_bytes = std::size_t{64} << 10U;
constexpr std::size_t growth = 16;

BufferRef slice_of(const Data& packet, const EntryView& entry) {
  const auto offset = entry.bytes.data() - packet.bytes.bytes().data();
  return packet.bytes.slice(static_cast<std::size_t>(offset), entry.bytes.size());
}

}  // namespace

void Unpacker::unpack(const Data& packet, bool transitional, std::vector<OrderedEvent>& out) {
  auto rest = packet.bytes.bytes().subspan(packet.content_offset());
  Partial* partial = find(packet.originator);
  for (std::uint16_t index = 0; index < packet.entries; ++index) {
    const auto entry = next_entry(rest);
    const bool is_alone = entry.first && entry.last;
    if (is_alone && partial != nullptr) *partial = {};
    if (entry.first && !entry.last) partial = begin(packet, entry.total, partial);
    auto whole = is_alone ? slice_of(packet, entry) : add(partial, entry);
    if (whole.empty() && !is_alone) continue;
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

void Unpacker::expect(const RingId& ring, Seq first, BufferRef whole) {
  own_.push_back(Own{.ring = ring, .first = first, .whole = std::move(whole)});
}

Unpacker::Partial* Unpacker::find(NodeId originator) {
  if (partial_.empty()) return nullptr;
  const auto found = partial_.find(originator);
  return found == partial_.end() ? nullptr : &found->second;
}

Unpacker::Partial* Unpacker::begin(const Data& packet, std::size_t total, Partial* partial) {
  if (partial == nullptr) partial = &partial_[packet.originator];
  *partial = Partial{.is_open = true, .total = total, .bytes = take_own(packet, total)};
  partial->is_own = !partial->bytes.empty();
  return partial;
}

BufferRef Unpacker::take_own(const Data& packet, std::size_t total) {
  const auto is_passed = [&] {
    return own_.front().ring == packet.ring && own_.front().first < packet.seq;
  };
  while (!own_.empty() && is_passed()) {
    own_.pop_front();
  }
  if (own_.empty()) return {};
  auto& own = own_.front();
  if (own.ring != packet.ring || own.first != packet.seq || own.whole.size() != total) return {};
  auto whole = std::move(own.whole);
  own_.pop_front();
  return whole;
}

BufferRef Unpacker::add(Partial* partial, const EntryView& fragment) {
  if (partial == nullptr || !partial->is_open) {
    ++strays_;
    return {};
  }
  const std::size_t left = partial->total - partial->received;
  const bool fits = fragment.last ? fragment.bytes.size() == left : fragment.bytes.size() < left;
  if (!fits) {
    ++strays_;
    *partial = {};
    return {};
  }
  append(*partial, fragment.bytes);
  if (!fragment.last) return {};
  auto whole = std::move(partial->bytes);
  *partial = {};
  return whole;
}

// Grows to the total, but to no more than some times what has come; what is not used is not
// touched. So hardly anything is copied twice, and an announcement alone costs nothing.
void Unpacker::append(Partial& partial, std::span<const std::byte> part) {
  const std::size_t needed = partial.received + part.size();
  RC_ASSERT(needed <= partial.total);
  if (partial.is_own) {
    partial.received = needed;
    return;
  }
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
