// SPDX-License-Identifier: Apache-2.0
//
// The reading half of codec.hpp. Each function checks one packet type completely; what it
// returns needs no further validation.
#include <algorithm>
#include <optional>

#include "ringcast/service.hpp"

#include "protocol/base/assert.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast {
namespace {

constexpr std::size_t key_bytes = 8;
constexpr std::size_t node_bytes = 4;
constexpr std::size_t range_bytes = 12;
constexpr std::size_t commit_entry_bytes = 8 + 1 + 16 + 8 + 8 + 16 + nodes_max / 8 + 4 + 4 + 4;

Error malformed(const char* rule) { return Error{Errc::malformed, rule}; }

inline RingId get_ring(ByteReader& reader) {
  RingId ring;
  ring.seq = reader.u64();
  ring.representative = NodeId{reader.u32()};
  ring.boot = BootId{reader.u32()};
  return ring;
}

NodeKey get_key(ByteReader& reader) {
  NodeKey key;
  key.node = NodeId{reader.u32()};
  key.boot = BootId{reader.u32()};
  return key;
}

/// Walks the entries without copying; true when they fill `content` exactly.
bool entries_are_valid(std::span<const std::byte> content, std::uint16_t count) {
  ByteReader reader(content);
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::uint32_t word = reader.u32();
    const std::uint32_t flags = word >> 24U;
    const std::uint32_t length = word & 0xffffffU;
    const bool first = (flags & 8U) != 0;
    const bool last = (flags & 16U) != 0;
    if ((flags & 7U) > static_cast<std::uint32_t>(Service::safe) || flags > 31U) return false;
    if (first && !last) {
      const std::uint32_t total = reader.u32();
      if (total > message_bytes_limit || total <= length) return false;
    }
    (void)reader.bytes(length);
    if (!reader.ok()) return false;
  }
  return reader.done();
}

/// All but `bytes`, of which `body` is the part that counts. Returns the rule it breaks, or
/// nothing.
const char* decode_data_body(std::span<const std::byte> body, Data& data) {
  if (body.size() < data_header_bytes) return "data: shorter than its header";
  ByteReader reader(body);
  data.ring = get_ring(reader);
  data.seq = Seq{reader.u64()};
  data.originator = NodeId{reader.u32()};
  const std::uint8_t flags = reader.u8();
  const std::uint8_t reserved = reader.u8();
  data.entries = reader.u16();
  if (flags > 7 || reserved != 0) return "data: unknown flags";
  if (data.seq.value == 0 || data.seq.value > packet_seq_limit) return "data: seq out of range";
  data.safe = (flags & 1U) != 0;
  data.recovered = (flags & 2U) != 0;
  data.after_token = (flags & 4U) != 0;
  if (data.recovered) {
    return data.entries == 0 ? nullptr : "data: a recovered packet has no entries of its own";
  }
  if (data.entries == 0) return "data: no entries";
  const bool is_filled = entries_are_valid(body.subspan(data_header_bytes), data.entries);
  return is_filled ? nullptr : "data: entries do not fill the packet";
}

/// The packet inside a recovered one; as above.
const char* decode_inner(const Data& data, Data& inner) {
  inner.is_inner = true;
  inner.bytes = data.content();
  const char* const rule = decode_data_body(inner.bytes.bytes(), inner);
  if (rule == nullptr && inner.recovered) return "data: recovered twice";
  return rule;
}

/// As above.
const char* decode_data(const BufferRef& datagram, std::span<const std::byte> body, Data& data) {
  const char* const rule = decode_data_body(body, data);
  if (rule != nullptr) return rule;
  data.bytes = datagram;
  if (data.recovered) {
    Data inner;
    return decode_inner(data, inner);
  }
  const bool has_room = datagram.size() + data_header_bytes <= datagram_bytes_limit;
  return has_room ? nullptr : "data: leaves no room to be sent again in recovery";
}

Result<PacketBody> decode_token(ByteReader& reader) {
  Token token;
  token.ring = get_ring(reader);
  token.token_seq = reader.u64();
  token.seq = Seq{reader.u64()};
  token.aru = Seq{reader.u64()};
  const NodeId aru_id{reader.u32()};
  const std::uint8_t flags = reader.u8();
  const std::uint8_t reserved = reader.u8();
  const std::uint16_t count = reader.u16();
  token.fcc = reader.u64();
  token.backlog = reader.u64();
  if (!reader.ok()) return malformed("token: shorter than its header");
  if (flags > 7 || reserved != 0) return malformed("token: unknown flags");
  if ((flags & 1U) != 0) token.aru_id = aru_id;
  token.retransmitting = (flags & 2U) != 0;
  token.idle = (flags & 4U) != 0;
  if (token.aru > token.seq) return malformed("token: aru above seq");
  if (token.seq.value > packet_seq_limit) return malformed("token: seq out of range");
  if (count > retransmit_ranges_max) return malformed("token: too many requests");
  if (reader.remaining() != count * range_bytes) return malformed("token: requests do not fit");
  for (std::uint16_t i = 0; i < count; ++i) {
    SeqRange range;
    range.first = Seq{reader.u64()};
    range.count = reader.u32();
    if (range.first.value == 0 || range.count == 0 || range.first > token.seq ||
        range.count > token.seq.value - range.first.value + 1) {
      return malformed("token: request outside the ring's packets");
    }
    if (!token.rtr.empty() &&
        range.first.value < token.rtr.back().first.value + token.rtr.back().count) {
      return malformed("token: requests out of order");
    }
    token.rtr.push_back(range);
  }
  return PacketBody(std::move(token));
}

template <class Id>
bool ascending(const std::vector<Id>& ids) {
  return std::adjacent_find(
             ids.begin(), ids.end(), [](const Id& a, const Id& b) { return a >= b; }) == ids.end();
}

Result<PacketBody> decode_join(ByteReader& reader) {
  Join join;
  const std::uint8_t flags = reader.u8();
  std::uint32_t reserved = reader.u8();
  const std::uint16_t proc = reader.u16();
  const std::uint16_t fail = reader.u16();
  reserved |= reader.u16();
  join.ring_seq = reader.u64();
  if (!reader.ok()) return malformed("join: shorter than its header");
  if (flags > 1 || reserved != 0) return malformed("join: unknown flags");
  if (proc > join_keys_max || fail > join_keys_max) return malformed("join: too many members");
  if (join.ring_seq > ring_seq_limit) return malformed("join: ring sequence out of range");
  if (reader.remaining() != (std::size_t{proc} + fail) * key_bytes + proc) {
    return malformed("join: members do not fit");
  }
  join.leave = (flags & 1U) != 0;
  for (std::uint16_t i = 0; i < proc; ++i) {
    join.proc.push_back(get_key(reader));
  }
  for (std::uint16_t i = 0; i < fail; ++i) {
    join.fail.push_back(get_key(reader));
  }
  if (!ascending(join.proc) || !ascending(join.fail)) {
    return malformed("join: members out of order");
  }
  if (!std::includes(join.proc.begin(), join.proc.end(), join.fail.begin(), join.fail.end())) {
    return malformed("join: fails a daemon it does not consider");
  }
  for (const auto& key : join.proc) {
    const std::uint8_t links = reader.u8();
    if (links > 3) return malformed("join: unknown flags of a member");
    if ((links & 1U) != 0) join.hears.push_back(key);
    if ((links & 2U) != 0) join.mutual.push_back(key);
  }
  return PacketBody(std::move(join));
}

std::optional<CommitEntry> get_commit_entry(ByteReader& reader) {
  CommitEntry entry;
  entry.member = get_key(reader);
  const std::uint8_t filled = reader.u8();
  if (filled > 1) return std::nullopt;
  entry.filled = filled == 1;
  entry.old_ring = get_ring(reader);
  entry.old_aru = Seq{reader.u64()};
  entry.high_delivered = Seq{reader.u64()};
  entry.received_ring = get_ring(reader);
  for (std::size_t byte = 0; byte < nodes_max / 8; ++byte) {
    const std::uint8_t bits = reader.u8();
    for (std::size_t i = 0; i < 8; ++i) {
      entry.obligation[byte * 8 + i] = ((bits >> i) & 1U) != 0;
    }
  }
  entry.datagram_bytes = reader.u32();
  entry.window_bytes = reader.u32();
  entry.window_packets = reader.u32();
  return entry;
}

Result<PacketBody> decode_commit(ByteReader& reader) {
  CommitToken commit;
  commit.ring = get_ring(reader);
  commit.hop = reader.u64();
  const std::uint16_t count = reader.u16();
  const std::uint16_t reserved = reader.u16();
  if (!reader.ok()) return malformed("commit: shorter than its header");
  if (reserved != 0) return malformed("commit: unknown flags");
  if (count == 0 || count > nodes_max) return malformed("commit: impossible member count");
  if (commit.ring.seq == 0 || commit.ring.seq > ring_seq_limit) {
    return malformed("commit: ring sequence out of range");
  }
  if (reader.remaining() != count * commit_entry_bytes) {
    return malformed("commit: members do not fit");
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto read = get_commit_entry(reader);
    if (!read) return malformed("commit: unknown flags of a member");
    commit.members.push_back(*read);
    const auto& entry = commit.members.back();
    if (entry.filled && (entry.datagram_bytes < datagram_bytes_least ||
                         entry.window_packets < window_packets_least)) {
      return malformed("commit: a member takes less than the protocol needs");
    }
    if (i > 0 && commit.members[i - 1U].member.node >= entry.member.node) {
      return malformed("commit: members out of order");
    }
  }
  if (commit.members.front().member.node != commit.ring.representative ||
      commit.members.front().member.boot != commit.ring.boot) {
    return malformed("commit: the representative is not its first member");
  }
  return PacketBody(std::move(commit));
}

Result<PacketBody> decode_probe(ByteReader& reader) {
  Probe probe;
  probe.ring = get_ring(reader);
  const std::uint8_t flags = reader.u8();
  const std::uint8_t reserved = reader.u8();
  const std::uint8_t members = reader.u8();
  const std::uint8_t mutual = reader.u8();
  const BootId echo{reader.u32()};
  if (!reader.ok()) return malformed("probe: shorter than its header");
  if (flags > 1 || reserved != 0) return malformed("probe: unknown flags");
  if ((flags & 1U) != 0) probe.echo = echo;
  if (members == 0 || members > nodes_max || mutual > nodes_max) {
    return malformed("probe: impossible member count");
  }
  if (reader.remaining() != (std::size_t{members} + mutual) * node_bytes) {
    return malformed("probe: members do not fit");
  }
  for (std::uint8_t i = 0; i < members; ++i) {
    probe.members.push_back(NodeId{reader.u32()});
  }
  for (std::uint8_t i = 0; i < mutual; ++i) {
    probe.mutual.push_back(NodeId{reader.u32()});
  }
  if (!ascending(probe.members) || !ascending(probe.mutual)) {
    return malformed("probe: members out of order");
  }
  return PacketBody(std::move(probe));
}

Result<PacketBody> decode_wakeup(ByteReader& reader) {
  Wakeup wakeup;
  wakeup.ring = get_ring(reader);
  if (!reader.done()) return malformed("wakeup: wrong length");
  return PacketBody(wakeup);
}

/// Of all but data.
Result<PacketBody> decode_body(PacketType type, std::span<const std::byte> body) {
  ByteReader reader(body);
  switch (type) {
    case PacketType::data:
      break;
    case PacketType::token:
      return decode_token(reader);
    case PacketType::join:
      return decode_join(reader);
    case PacketType::commit:
      return decode_commit(reader);
    case PacketType::probe:
      return decode_probe(reader);
    case PacketType::wakeup:
      return decode_wakeup(reader);
  }
  return malformed("unknown packet type");
}

}  // namespace

Result<Packet> decode(const BufferRef& datagram) {
  if (datagram.size() < packet_header_bytes) return malformed("shorter than a header");
  Packet packet;
  const auto decoded = decode(datagram, read_header(datagram.bytes()), packet);
  if (!decoded) return decoded.error();
  return packet;
}

Result<void> decode(const BufferRef& datagram, const PacketHeader& header, Packet& packet) {
  if (datagram.size() < packet_header_bytes + tag_bytes) {
    return malformed("shorter than a header and a tag");
  }
  const auto body = datagram.bytes().subspan(
      packet_header_bytes, datagram.size() - packet_header_bytes - tag_bytes);
  packet.header = header;
  if (header.type == PacketType::data) {
    const char* const rule = decode_data(datagram, body, packet.body.emplace<Data>());
    return rule == nullptr ? Result<void>{} : malformed(rule);
  }
  auto decoded = decode_body(header.type, body);
  if (!decoded) return decoded.error();
  packet.body = std::move(*decoded);
  return {};
}

Result<Data> decode_recovered(const Data& data) {
  RC_ASSERT(data.recovered);
  Data inner;
  if (const char* const rule = decode_inner(data, inner)) return malformed(rule);
  return inner;
}

EntryView next_entry(std::span<const std::byte>& content) {
  RC_ASSERT(content.size() >= entry_header_bytes);
  ByteReader reader(content);
  const std::uint32_t word = reader.u32();
  const std::uint32_t flags = word >> 24U;
  const std::size_t length = word & 0xffffffU;
  const bool first = (flags & 8U) != 0;
  const bool last = (flags & 16U) != 0;
  const std::uint32_t total = first && !last ? reader.u32() : 0;
  const auto bytes = reader.bytes(length);
  RC_ASSERT(reader.ok());
  content = content.last(reader.remaining());
  return EntryView{
      .service = static_cast<std::uint8_t>(flags & 7U),
      .first = first,
      .last = last,
      .total = total,
      .bytes = bytes};
}

Entry next_entry(BufferRef& content) {
  auto rest = content.bytes();
  const auto view = next_entry(rest);
  const std::size_t end = content.size() - rest.size();
  Entry entry{
      .service = view.service,
      .first = view.first,
      .last = view.last,
      .total = view.total,
      .bytes = content.slice(end - view.bytes.size(), view.bytes.size())};
  content.remove_prefix(end);
  return entry;
}

}  // namespace ringcast
