// SPDX-License-Identifier: Apache-2.0
//
// The writing half of codec.hpp. Every packet is built as: header room with its type, body,
// tag room.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

constexpr std::size_t type_offset = 3;

/// The header before it is sealed.
constexpr std::array<std::byte, packet_header_bytes> header_room(PacketType type) {
  std::array<std::byte, packet_header_bytes> room{};
  room[type_offset] = static_cast<std::byte>(type);
  return room;
}

void begin(ByteWriter& writer, PacketType type) { writer.bytes(header_room(type)); }

BufferRef finish(ByteWriter& writer) {
  writer.zeros(tag_bytes);
  return BufferRef::copy_of(writer.view());
}

template <class Writer>
void put(Writer& writer, const RingId& ring) {
  writer.u64(ring.seq);
  writer.u32(ring.representative.value);
  writer.u32(ring.boot.value);
}

void put(ByteWriter& writer, const NodeKey& key) {
  writer.u32(key.node.value);
  writer.u32(key.boot.value);
}

void put(ByteWriter& writer, const ObligationBits& set) {
  for (std::size_t byte = 0; byte < nodes_max / 8; ++byte) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      bits |= set[byte * 8 + i] ? 1U << i : 0U;
    }
    writer.u8(static_cast<std::uint8_t>(bits));
  }
}

std::uint8_t bit(bool value, unsigned position) {
  return static_cast<std::uint8_t>(value ? 1U << position : 0U);
}

/// Fills a fresh datagram from its first byte to its last, by what is added.
class Filler {
 public:
  explicit Filler(std::span<std::byte> room) : room_(room) {}
  void u8(std::uint8_t value) { number(value); }
  void u16(std::uint16_t value) { number(value); }
  void u32(std::uint32_t value) { number(value); }
  void u64(std::uint64_t value) { number(value); }
  void add(std::span<const std::byte> bytes) {
    RC_ASSERT(bytes.size() <= room_.size());
    std::copy(bytes.begin(), bytes.end(), room_.begin());
    room_ = room_.subspan(bytes.size());
  }
  [[nodiscard]] std::size_t left() const { return room_.size(); }

 private:
  template <class T>
  void number(T value) {
    RC_ASSERT(sizeof value <= room_.size());
    std::memcpy(room_.data(), &value, sizeof value);
    room_ = room_.subspan(sizeof value);
  }

  std::span<std::byte> room_;
};

void put_data_header(Filler& filler, const Data& data) {
  RC_ASSERT(filler.left() >= data_overhead_bytes);
  filler.add(header_room(PacketType::data));
  put(filler, data.ring);
  filler.u64(data.seq.value);
  filler.u32(data.originator.value);
  filler.u8(static_cast<std::uint8_t>(
      bit(data.safe, 0) | bit(data.recovered, 1) | bit(data.after_token, 2)));
  filler.u8(0);
  filler.u16(data.entries);
}

void put_entry(Filler& filler, const Entry& entry) {
  const auto flags =
      static_cast<std::uint32_t>(entry.service | bit(entry.first, 3) | bit(entry.last, 4));
  RC_ASSERT(entry.bytes.size() < (1U << 24U));
  filler.u32(flags << 24U | static_cast<std::uint32_t>(entry.bytes.size()));
  if (entry.first && !entry.last) filler.u32(entry.total);
  filler.add(entry.bytes.bytes());
}

void set_bytes(Data& data, BufferRef datagram) {
  RC_ASSERT(datagram.size() <= datagram_bytes_limit);
  data.is_inner = false;
  data.bytes = std::move(datagram);
}

}  // namespace

BufferRef encode(const Token& token) {
  RC_ASSERT(token.rtr.size() <= retransmit_ranges_max);
  ByteWriter writer;
  begin(writer, PacketType::token);
  put(writer, token.ring);
  writer.u64(token.token_seq);
  writer.u64(token.seq.value);
  writer.u64(token.aru.value);
  writer.u32(token.aru_id.value_or(NodeId{}).value);
  writer.u8(static_cast<std::uint8_t>(
      bit(token.aru_id.has_value(), 0) | bit(token.retransmitting, 1) | bit(token.idle, 2)));
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(token.rtr.size()));
  writer.u64(token.fcc);
  writer.u64(token.backlog);
  for (const auto& range : token.rtr) {
    writer.u64(range.first.value);
    writer.u32(range.count);
  }
  return finish(writer);
}

BufferRef encode(const Join& join) {
  RC_ASSERT(join.proc.size() <= join_keys_max);
  RC_ASSERT(join.fail.size() <= join_keys_max);
  ByteWriter writer;
  begin(writer, PacketType::join);
  writer.u8(bit(join.leave, 0));
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(join.proc.size()));
  writer.u16(static_cast<std::uint16_t>(join.fail.size()));
  writer.u16(0);
  writer.u64(join.ring_seq);
  for (const auto& key : join.proc) {
    put(writer, key);
  }
  for (const auto& key : join.fail) {
    put(writer, key);
  }
  for (const auto& key : join.proc) {
    const auto is_in = [&key](const std::vector<NodeKey>& keys) {
      return std::binary_search(keys.begin(), keys.end(), key);
    };
    writer.u8(static_cast<std::uint8_t>(bit(is_in(join.hears), 0) | bit(is_in(join.mutual), 1)));
  }
  return finish(writer);
}

BufferRef encode(const CommitToken& commit) {
  RC_ASSERT(commit.members.size() <= nodes_max);
  ByteWriter writer;
  begin(writer, PacketType::commit);
  put(writer, commit.ring);
  writer.u64(commit.hop);
  writer.u16(static_cast<std::uint16_t>(commit.members.size()));
  writer.u16(0);
  for (const auto& entry : commit.members) {
    put(writer, entry.member);
    writer.u8(bit(entry.filled, 0));
    put(writer, entry.old_ring);
    writer.u64(entry.old_aru.value);
    writer.u64(entry.high_delivered.value);
    put(writer, entry.received_ring);
    put(writer, entry.obligation);
    writer.u32(entry.datagram_bytes);
    writer.u32(entry.window_bytes);
    writer.u32(entry.window_packets);
  }
  return finish(writer);
}

BufferRef encode(const Probe& probe) {
  RC_ASSERT(probe.members.size() <= nodes_max);
  RC_ASSERT(probe.mutual.size() <= nodes_max);
  ByteWriter writer;
  begin(writer, PacketType::probe);
  put(writer, probe.ring);
  writer.u8(bit(probe.echo.has_value(), 0));
  writer.u8(0);
  writer.u8(static_cast<std::uint8_t>(probe.members.size()));
  writer.u8(static_cast<std::uint8_t>(probe.mutual.size()));
  writer.u32(probe.echo.value_or(BootId{}).value);
  for (const auto node : probe.members) {
    writer.u32(node.value);
  }
  for (const auto node : probe.mutual) {
    writer.u32(node.value);
  }
  return finish(writer);
}

BufferRef encode(const Wakeup& wakeup) {
  ByteWriter writer;
  begin(writer, PacketType::wakeup);
  put(writer, wakeup.ring);
  return finish(writer);
}

void encode_data(Data& data, std::span<const Entry> entries) {
  std::size_t size = data_overhead_bytes;
  for (const auto& entry : entries) {
    size += entry_header_bytes + entry.bytes.size();
    if (entry.first && !entry.last) size += fragment_header_bytes;
  }
  encode_data(data, entries, BufferRef::allocate(size));
}

void encode_data(Data& data, std::span<const Entry> entries, BufferRef datagram) {
  RC_ASSERT(!entries.empty());
  RC_ASSERT(entries.size() <= UINT16_MAX);
  RC_ASSERT(!data.recovered);
  data.entries = static_cast<std::uint16_t>(entries.size());
  Filler filler(datagram.writable());
  put_data_header(filler, data);
  for (const auto& entry : entries) {
    put_entry(filler, entry);
  }
  RC_ASSERT(filler.left() == tag_bytes);
  set_bytes(data, std::move(datagram));
}

void mark_after_token(Data& data) {
  constexpr std::size_t flags_offset = packet_header_bytes + 28;
  data.after_token = true;
  auto& flags = data.bytes.writable()[flags_offset];
  flags |= std::byte{4};
}

void encode_recovered(Data& data, const BufferRef& old_body) {
  RC_ASSERT(data.recovered);
  data.entries = 0;
  BufferRef datagram = BufferRef::allocate(data_overhead_bytes + old_body.size());
  Filler filler(datagram.writable());
  put_data_header(filler, data);
  filler.add(old_body.bytes());
  RC_ASSERT(filler.left() == tag_bytes);
  set_bytes(data, std::move(datagram));
}

}  // namespace ringcast
