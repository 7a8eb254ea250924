// SPDX-License-Identifier: Apache-2.0
//
// The packets daemons exchange, as plain values. Layouts, widths and reasons are in
// docs/protocol.md; codec.hpp turns them into bytes and back.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/buffer.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/limits.hpp"

namespace ringcast {

inline constexpr std::size_t packet_header_bytes = 28;
inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t data_header_bytes = 32;

enum class PacketType : std::uint8_t {
  data = 1,
  token = 2,
  join = 3,
  commit = 4,
  probe = 5,
  wakeup = 6
};

/// [WIR-1]
struct PacketHeader {
  PacketType type{PacketType::data};
  std::uint8_t key_id{0};  ///< 0: the null sealer
  std::uint32_t cluster{0};
  NodeKey sender;  ///< who put this datagram on the wire, not who originated its content
  std::uint64_t counter{0};
};

/// An ordered packet [WIR-4]. A window holds thousands of them: one has no more than a cache line.
struct Data {
  RingId ring;
  Seq seq;
  NodeId originator;
  std::uint16_t entries{0};
  bool safe{false};         ///< a message of service safe ends in it
  bool recovered{false};    ///< content is an old ring's packet, sent again in recovery
  bool after_token{false};  ///< left after its originator's token: the accelerated tail
  bool is_inner{false};     ///< out of a recovered packet: `bytes` are its body alone
  BufferRef bytes;

  /// Whole, with room for header and tag; empty for a packet out of a recovered one.
  [[nodiscard]] BufferRef datagram() const { return is_inner ? BufferRef{} : bytes; }
  [[nodiscard]] std::size_t datagram_bytes() const { return is_inner ? 0 : bytes.size(); }
  /// From the ring id on.
  [[nodiscard]] BufferRef body() const { return bytes.slice(body_offset(), body_bytes()); }
  [[nodiscard]] std::size_t body_bytes() const {
    return bytes.size() - (is_inner ? 0 : packet_header_bytes + tag_bytes);
  }
  /// Its entries or, when recovered, the body of a packet of an older ring.
  [[nodiscard]] BufferRef content() const {
    return bytes.slice(content_offset(), body_bytes() - data_header_bytes);
  }
  /// Where that begins in `bytes`.
  [[nodiscard]] std::size_t content_offset() const { return body_offset() + data_header_bytes; }

 private:
  [[nodiscard]] std::size_t body_offset() const { return is_inner ? 0 : packet_header_bytes; }
};
static_assert(sizeof(Data) <= 64);

struct SeqRange {
  Seq first;
  std::uint32_t count{0};

  auto operator<=>(const SeqRange&) const = default;
};

/// [WIR-5]
struct Token {
  RingId ring;
  std::uint64_t token_seq{0};    ///< one more at each hop; tells a new token from a copy
  Seq seq;                       ///< the highest packet originated on this ring
  Seq aru;                       ///< everyone passed by since it was lowered has all up to here
  std::optional<NodeId> aru_id;  ///< who lowered it; nobody: aru == seq
  std::uint64_t fcc{0};          ///< cost of what was sent during the last rotation
  std::uint64_t backlog{0};      ///< bytes waiting at all nodes as of their last visit
  bool retransmitting{false};    ///< recovery: somebody has old packets left to send
  bool idle{false};           ///< the representative holds it at its next visit if nothing happens
  std::vector<SeqRange> rtr;  ///< packets somebody misses
};

/// [WIR-6], as what follows.
struct Join {
  bool leave{false};
  std::uint64_t ring_seq{0};      ///< newest ring the sender took part in forming
  std::vector<NodeKey> proc;      ///< ascending: everyone it considers
  std::vector<NodeKey> fail;      ///< ascending: those of them it considers failed
  std::vector<NodeKey> hears{};   ///< ascending: those of proc it heard just now
  std::vector<NodeKey> mutual{};  ///< ascending: linked with it both ways, by its probes
};

using ObligationBits = std::bitset<nodes_max>;

/// What one member brings from its old ring. [REC-2]
struct CommitEntry {
  NodeKey member;
  bool filled{false};
  RingId old_ring;
  Seq old_aru;
  Seq high_delivered;    ///< highest packet it knows somebody delivered in the old ring
  RingId received_ring;  ///< the aborted ring in whose recovery it received everything; seq 0: none
  ObligationBits obligation;  ///< by index into the old ring's members
  std::uint32_t datagram_bytes{0};
  std::uint32_t window_bytes{0};
  std::uint32_t window_packets{0};

  bool operator==(const CommitEntry&) const = default;
};

struct CommitToken {
  RingId ring;
  std::uint64_t hop{0};
  std::vector<CommitEntry> members;  ///< ascending by node
};

struct Probe {
  RingId ring;                    ///< the sender's current ring
  std::optional<BootId> echo;     ///< the boot id it last heard from the addressee
  std::vector<NodeId> members{};  ///< ascending: of that ring
  std::vector<NodeId> mutual{};   ///< ascending: those it hears and that hear it, in any ring
};

/// Somebody has something to send on an idle ring.
struct Wakeup {
  RingId ring;
};

using PacketBody = std::variant<Data, Token, Join, CommitToken, Probe, Wakeup>;

struct Packet {
  PacketHeader header;
  PacketBody body;
};

}  // namespace ringcast
