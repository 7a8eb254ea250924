// SPDX-License-Identifier: Apache-2.0
//
// Unpacker: packets in delivery order -> whole messages. Holds at most one unfinished message
// per originator; at a view change unfinished ones are dropped, because their originator
// sends them whole again [ORD-8].
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "protocol/base/ids.hpp"
#include "protocol/base/ordered.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

class Unpacker {
 public:
  /// Appends the messages that end in `packet` to `out`.
  void unpack(const Data& packet, bool transitional, std::vector<OrderedEvent>& out);

  void clear() { partial_.clear(); }
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
      bytes += partial.bytes.size();
    }
    return bytes;
  }

 private:
  /// Adds one entry; the message that ends in it, if any.
  std::optional<std::pair<BufferRef, Service>> take(NodeId originator, Entry entry);

  /// `bytes` has room for up to 16 times what has come, `total` at most: what a fragment announces
  /// costs nothing.
  struct Partial {
    bool is_open{false};
    std::size_t total{0};
    std::size_t received{0};
    BufferRef bytes;
  };

  void drop(NodeId originator);
  static void append(Partial& partial, std::span<const std::byte> part);

  std::map<NodeId, Partial> partial_;  // closed ones stay, so that the next needs no memory
  std::uint64_t strays_{0};
};

}  // namespace ringcast
