// SPDX-License-Identifier: Apache-2.0
//
// Window: the packets of one ring, by seq, from the last discarded one up to a fixed
// capacity. Owns the packets until every member has them and we have delivered them; knows
// where its own holes are; refuses what lies outside.
//
// Invariant: discarded <= aru <= high; every seq in (discarded, aru] is held, aru + 1 is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/base/ids.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

/// From `first` to before `end`, or as far as one range reaches. REQUIRES: first < end.
SeqRange range_up_to(Seq first, Seq end);

class Window {
 public:
  /// `capacity`: how far above the last discarded seq a packet may lie. The first packet is the
  /// one after `before`.
  Window(RingId ring, std::uint32_t capacity, Seq before = {});

  enum class Insert : std::uint8_t { stored, duplicate, outside };
  /// What is not stored stays where it is.
  Insert insert(Data&& packet);
  Insert insert(const Data& packet) { return insert(Data(packet)); }

  [[nodiscard]] const RingId& ring() const { return ring_; }
  /// Received everything up to here.
  [[nodiscard]] Seq aru() const { return aru_; }
  /// The highest seq ever held.
  [[nodiscard]] Seq high() const { return high_; }
  [[nodiscard]] Seq discarded() const { return discarded_; }
  /// Memory held by packets above the discarded line, in bytes.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }

  /// Nothing when not held (or already discarded).
  [[nodiscard]] const Data* find(Seq seq) const {
    if (seq <= discarded_ || seq > high_) return nullptr;
    const auto& place = slots_[slot(seq)].packet;
    return place.seq == seq ? &place : nullptr;
  }

  /// Appends the holes in (aru, up_to], lowest first, until `out` has `ranges_max` ranges.
  void append_holes(Seq up_to, std::size_t ranges_max, std::vector<SeqRange>& out) const;

  /// Lets go of everything up to `up_to`. REQUIRES: up_to <= aru().
  void discard(Seq up_to);

  /// The full walk of the invariant, for tests.
  [[nodiscard]] bool is_consistent() const;

 private:
  static constexpr std::size_t cache_line_bytes = 64;
  /// Has the number 0 when it is free.
  struct alignas(cache_line_bytes) Slot {
    Data packet;
  };

  /// A place for each seq up to `distance` above the discarded ones.
  void grow(std::uint64_t distance);
  /// The first seq from `seq` on that is held, at most the one after `up_to`.
  [[nodiscard]] Seq hole_end(Seq seq, Seq up_to) const;
  [[nodiscard]] std::size_t slot(Seq seq) const { return seq.value & (slots_.size() - 1); }

  RingId ring_;
  std::uint32_t capacity_;
  Seq aru_;
  Seq high_;
  Seq discarded_;
  std::uint64_t bytes_{0};
  std::vector<Slot> slots_;  ///< a power of two of them
};

}  // namespace ringcast
