// SPDX-License-Identifier: Apache-2.0
//
// Unpacker: packets in delivery order -> whole messages. Holds at most one unfinished message
// per originator; at a view change unfinished ones are dropped, because their originator
// sends them whole again [ORD-8]. Our own, which come back to us as to everybody, are there as they
// were sent: their fragments are counted and not copied. Of others, those of usual lengths are put
// together in one buffer, and longer ones, which would leave the caches on the way, stay in their
// packets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "protocol/base/buffer.hpp"
#include "protocol/base/buffer_chain.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/ordered.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

class Unpacker {
 public:
  Unpacker() = default;
  ~Unpacker() = default;
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  Unpacker(Unpacker&&) = delete;
  Unpacker& operator=(Unpacker&&) = delete;

  /// Appends the messages that end in `packet` to `out`.
  void unpack(const Data& packet, bool transitional, std::vector<OrderedEvent>& out);

  /// We originated packet `first`, which ends with the first fragment of `whole`. Once it is
  /// delivered, or a later one that was announced, `whole` is let go of.
  void expect(const RingId& ring, Seq first, BufferRef whole);

  void clear() {
    partial_.clear();
    latest_ = nullptr;
    own_.clear();
  }
  /// Fragments that belonged to no message under way; only a broken peer sends them.
  [[nodiscard]] std::uint64_t strays() const { return strays_; }
  /// Messages under way, and the memory they hold.
  [[nodiscard]] std::size_t partial_messages() const {
    return static_cast<std::size_t>(std::count_if(
        partial_.begin(), partial_.end(), [](const auto& entry) { return entry.second.is_open; }));
  }
  [[nodiscard]] std::uint64_t partial_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [originator, partial] : partial_) {
      bytes += partial.bytes.size() + partial.pieces.size();
    }
    return bytes;
  }

 private:
  struct Partial {
    bool is_open{false};
    bool is_own{false};  ///< all there from the first
    std::size_t total{0};
    std::size_t received{0};
    BufferRef bytes;     ///< of a usual length, and our own
    BufferChain pieces;  ///< of a longer one: what has come, so what is announced costs nothing
  };
  struct Own {
    RingId ring;
    Seq first;
    BufferRef whole;
  };

  /// The one of `originator`, if it ever began any.
  [[nodiscard]] Partial* find(NodeId originator);
  /// Opens that one, or a new one, for the message that begins with `packet`.
  Partial* begin(const Data& packet, std::size_t total, Partial* partial);
  /// What was announced with this packet, if it has that size.
  [[nodiscard]] BufferRef take_own(const Data& packet, std::size_t total);
  /// True when the message ends in this fragment, and is there.
  bool add(Partial* partial, const Data& packet, const EntryView& fragment);
  /// Ends it. REQUIRES: it is complete.
  static BufferChain take_whole(Partial& partial);
  static void append(Partial& partial, std::span<const std::byte> part);
  static void keep(Partial& partial, BufferRef part);

  std::map<NodeId, Partial> partial_;  // closed ones stay, so that the next needs no memory
  std::pair<const NodeId, Partial>* latest_{nullptr};  ///< of those, the last that was found
  std::deque<Own> own_;  // ascending, those that did not begin to come back
  std::uint64_t strays_{0};
};

}  // namespace ringcast
