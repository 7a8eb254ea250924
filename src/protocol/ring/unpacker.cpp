// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/unpacker.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/base/ordered.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

// Of messages up to this length a copy stays in the cache, and costs no more than their pieces do.
constexpr std::size_t assembled_bytes_max = std::size_t{128} << 10U;
// A piece is worth its place in a list. Only of a broken peer they are shorter.
constexpr std::size_t piece_bytes_mean_min = 256;

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
    if (!is_alone && !add(partial, packet, entry)) continue;
    auto whole = is_alone ? BufferChain(slice_of(packet, entry)) : take_whole(*partial);
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
  // One packet of a visit follows the other.
  if (latest_ != nullptr && latest_->first == originator) return &latest_->second;
  const auto found = partial_.find(originator);
  if (found == partial_.end()) return nullptr;
  latest_ = &*found;
  return &latest_->second;
}

Unpacker::Partial* Unpacker::begin(const Data& packet, std::size_t total, Partial* partial) {
  if (partial == nullptr) partial = &partial_[packet.originator];
  *partial = {};
  partial->is_open = true;
  partial->total = total;
  partial->bytes = take_own(packet, total);
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

bool Unpacker::add(Partial* partial, const Data& packet, const EntryView& fragment) {
  if (partial == nullptr || !partial->is_open) {
    ++strays_;
    return false;
  }
  const std::size_t left = partial->total - partial->received;
  const bool fits = fragment.last ? fragment.bytes.size() == left : fragment.bytes.size() < left;
  if (!fits) {
    ++strays_;
    *partial = {};
    return false;
  }
  if (partial->is_own) {
    partial->received += fragment.bytes.size();
  } else if (partial->total > assembled_bytes_max) {
    keep(*partial, slice_of(packet, fragment));
  } else {
    append(*partial, fragment.bytes);
  }
  return fragment.last;
}

BufferChain Unpacker::take_whole(Partial& partial) {
  auto whole =
      partial.pieces.empty() ? BufferChain(std::move(partial.bytes)) : std::move(partial.pieces);
  partial = {};
  return whole;
}

void Unpacker::append(Partial& partial, std::span<const std::byte> part) {
  RC_ASSERT(partial.received + part.size() <= partial.total);
  if (partial.bytes.empty()) {
    partial.bytes = BufferRef::allocate_with_room(partial.total, head_room_bytes);
  }
  std::copy(part.begin(), part.end(), partial.bytes.writable().subspan(partial.received).begin());
  partial.received += part.size();
}

void Unpacker::keep(Partial& partial, BufferRef part) {
  partial.received += part.size();
  partial.pieces.append(std::move(part));
  const auto usual = partial.received / piece_bytes_mean_min + 2;
  if (partial.pieces.buffers() > usual) partial.pieces = partial.pieces.joined();
}

}  // namespace ringcast
