// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/window.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

constexpr std::size_t initial_slots = 64;

bool is_free(const Data& place) { return place.seq == Seq{}; }

// Packets that arrived in one block share it, so each costs its own part.
std::uint64_t cost(const Data& packet) { return packet.body_bytes() + data_overhead_bytes; }

}  // namespace

SeqRange range_up_to(Seq first, Seq end) {
  RC_ASSERT(first < end);
  constexpr std::uint64_t count_max = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t count = std::min(end.value - first.value, count_max);
  return SeqRange{.first = first, .count = static_cast<std::uint32_t>(count)};
}

Window::Window(RingId ring, std::uint32_t capacity, Seq before)
    : ring_(ring),
      capacity_(capacity),
      aru_(before),
      high_(before),
      discarded_(before),
      slots_(std::min<std::size_t>(initial_slots, std::bit_ceil(capacity))) {
  RC_ASSERT(capacity > 0);
}

Window::Insert Window::insert(Data&& packet) {
  const Seq seq = packet.seq;
  if (seq <= discarded_) return Insert::duplicate;
  const std::uint64_t distance = seq.value - discarded_.value;
  if (distance > capacity_) return Insert::outside;
  if (distance > slots_.size()) grow(distance);
  auto& place = slots_[slot(seq)].packet;
  if (!is_free(place)) return Insert::duplicate;
  bytes_ += cost(packet);
  place = std::move(packet);
  high_ = std::max(high_, seq);
  if (seq != next(aru_)) return Insert::stored;
  aru_ = seq;
  while (aru_ < high_ && find(next(aru_)) != nullptr) {
    aru_ = next(aru_);
  }
  return Insert::stored;
}

// By doubling: a quiet ring stays small, a busy one grows to its capacity once.
void Window::grow(std::uint64_t distance) {
  std::size_t size = slots_.size();
  while (size < distance) {
    size *= 2;
  }
  std::vector<Slot> grown(size);
  for (auto& [held] : slots_) {
    if (is_free(held)) continue;
    const auto place = held.seq.value & (size - 1);
    grown[place].packet = std::move(held);
  }
  slots_.swap(grown);
}

void Window::append_holes(Seq up_to, std::size_t ranges_max, std::vector<SeqRange>& out) const {
  Seq seq = next(aru_);
  while (seq <= up_to && out.size() < ranges_max) {
    const Seq end = hole_end(seq, up_to);
    if (end == seq) {
      seq = next(seq);
      continue;
    }
    out.push_back(range_up_to(seq, end));
    seq = end;
  }
}

Seq Window::hole_end(Seq seq, Seq up_to) const {
  const Seq last = std::min(up_to, high_);
  while (seq <= last && find(seq) == nullptr) {
    seq = next(seq);
  }
  // Nothing is held above `high_`: the rest is one hole.
  return seq > last ? std::max(seq, next(up_to)) : seq;
}

void Window::discard(Seq up_to) {
  RC_ASSERT(up_to <= aru_);
  while (discarded_ < up_to) {
    discarded_ = next(discarded_);
    auto& place = slots_[slot(discarded_)].packet;
    RC_ASSERT(place.seq == discarded_);
    bytes_ -= cost(place);
    place.seq = Seq{};
    place.bytes = BufferRef{};
  }
}

bool Window::is_consistent() const {
  if (discarded_ > aru_ || aru_ > high_) return false;
  for (Seq seq = next(discarded_); seq <= aru_; seq = next(seq)) {
    if (find(seq) == nullptr) return false;
  }
  return find(next(aru_)) == nullptr;
}

}  // namespace ringcast
