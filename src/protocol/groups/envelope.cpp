// SPDX-License-Identifier: Apache-2.0
//
// The envelope codec: one encode and one decode function per kind. [GRP-12]
#include "protocol/groups/envelope.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/ordered.hpp"

namespace ringcast {
namespace {

enum class Kind : std::uint8_t { message = 1, join = 2, leave = 3, disconnect = 4, exchange = 5 };

// Flags, each of one kind; the others must be zero.
constexpr std::uint8_t message_no_echo = 1U << 0U;
constexpr std::uint8_t message_confirm = 1U << 1U;
constexpr std::uint8_t message_typed = 1U << 2U;
constexpr std::uint8_t disconnect_goodbye = 1U << 0U;
constexpr std::uint8_t exchange_last = 1U << 0U;
constexpr std::uint8_t group_changed = 1U << 0U;

constexpr std::size_t companion_bytes = 8;
constexpr std::size_t group_bytes_min = 1 + 1 + 1 + 2;
constexpr std::size_t member_bytes_min = 1 + 1 + 8;

Error malformed(std::string_view rule) {
  return Error{Errc::malformed, "envelope: " + std::string(rule)};
}

bool is_destination(std::string_view text) {
  return is_valid_word(text) || split_private_group(text).has_value();
}

// Encoding. ---------------------------------------------------------------------------------

void write_head(ByteWriter& writer, Kind kind, std::uint8_t flags) {
  writer.u8(static_cast<std::uint8_t>(kind));
  writer.u8(flags);
}

void write(ByteWriter& writer, const ClientMessage& message) {
  RC_ASSERT(is_valid_word(message.sender));
  RC_ASSERT(!message.groups.empty());
  RC_ASSERT(message.groups.size() <= groups_per_message_max);
  std::uint8_t flags = 0;
  if (!message.echo) flags |= message_no_echo;
  if (message.ticket) flags |= message_confirm;
  if (message.type != 0) flags |= message_typed;
  write_head(writer, Kind::message, flags);
  writer.u64(message.session.value);
  if (message.ticket) writer.u64(*message.ticket);
  if (message.type != 0) writer.u32(static_cast<std::uint32_t>(message.type));
  writer.text8(message.sender);
  writer.u8(static_cast<std::uint8_t>(message.groups.size()));
  for (const auto group : message.groups) {
    RC_ASSERT(is_destination(group));
    writer.text8(group);
  }
}

void write(ByteWriter& writer, const JoinChange& join) {
  RC_ASSERT(is_valid_word(join.name));
  RC_ASSERT(is_valid_word(join.group));
  write_head(writer, Kind::join, 0);
  writer.u64(join.session.value);
  writer.text8(join.name);
  writer.text8(join.group);
}

void write(ByteWriter& writer, const LeaveChange& leave) {
  RC_ASSERT(is_valid_word(leave.group));
  write_head(writer, Kind::leave, 0);
  writer.u64(leave.session.value);
  writer.text8(leave.group);
}

void write(ByteWriter& writer, const DisconnectChange& disconnect) {
  write_head(writer, Kind::disconnect, disconnect.goodbye ? disconnect_goodbye : 0);
  writer.u64(disconnect.session.value);
}

void write(ByteWriter& writer, const ExchangeChunk& chunk) {
  RC_ASSERT(chunk.companions.empty() == (chunk.index != 0));
  RC_ASSERT(std::is_sorted(chunk.companions.begin(), chunk.companions.end()));
  write_head(writer, Kind::exchange, chunk.last ? exchange_last : 0);
  writer.u64(chunk.configuration.seq);
  writer.u32(chunk.configuration.representative.value);
  writer.u32(chunk.configuration.boot.value);
  writer.u32(chunk.index);
  RC_ASSERT(chunk.companions.size() <= 0xffff);
  writer.u16(static_cast<std::uint16_t>(chunk.companions.size()));
  for (const auto& key : chunk.companions) {
    writer.u32(key.node.value);
    writer.u32(key.boot.value);
  }
  RC_ASSERT(chunk.groups.size() <= 0xffff);
  writer.u16(static_cast<std::uint16_t>(chunk.groups.size()));
  for (const auto& group : chunk.groups) {
    RC_ASSERT(is_valid_word(group.name));
    RC_ASSERT(group.members.size() <= 0xffff);
    writer.text8(group.name);
    writer.u8(group.changed ? group_changed : 0);
    writer.u16(static_cast<std::uint16_t>(group.members.size()));
    for (const auto& member : group.members) {
      RC_ASSERT(is_valid_word(member.name));
      writer.text8(member.name);
      writer.u64(member.session.value);
    }
  }
}

// Decoding. ---------------------------------------------------------------------------------

Result<void> read_message(
    ByteReader& reader,
    std::uint8_t flags,
    std::span<const std::byte> bytes,
    ClientMessage& message) {
  constexpr std::uint8_t known = message_no_echo | message_confirm | message_typed;
  if ((flags & ~known) != 0) return malformed("unknown flag in a message");
  message.session = SessionId{reader.u64()};
  message.echo = (flags & message_no_echo) == 0;
  if ((flags & message_confirm) != 0) message.ticket = reader.u64();
  if ((flags & message_typed) != 0) {
    message.type = static_cast<std::int32_t>(reader.u32());
    if (message.type == 0) return malformed("type 0 is not written");
  }
  message.sender = reader.text8();
  if (!is_valid_word(message.sender)) return malformed("sender is not a word");
  const std::size_t count = reader.u8();
  if (count == 0 || count > groups_per_message_max) return malformed("0 or too many destinations");
  message.groups.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto group = reader.text8();
    if (!is_destination(group)) return malformed("destination is neither a word nor #word#word");
    message.groups.push_back(group);
  }
  if (!reader.ok()) return malformed("message cut short");
  message.payload = bytes.subspan(reader.position());
  return {};
}

Result<Envelope> read_join(ByteReader& reader, std::uint8_t flags) {
  JoinChange join;
  join.session = SessionId{reader.u64()};
  join.name = reader.text8();
  join.group = reader.text8();
  if (flags != 0 || !reader.done()) return malformed("join with a wrong length or flags");
  if (!is_valid_word(join.name)) return malformed("joiner's name is not a word");
  if (!is_valid_word(join.group)) return malformed("joined group is not a word");
  return Envelope{join};
}

Result<Envelope> read_leave(ByteReader& reader, std::uint8_t flags) {
  LeaveChange leave;
  leave.session = SessionId{reader.u64()};
  leave.group = reader.text8();
  if (flags != 0 || !reader.done()) return malformed("leave with a wrong length or flags");
  if (!is_valid_word(leave.group)) return malformed("left group is not a word");
  return Envelope{leave};
}

Result<Envelope> read_disconnect(ByteReader& reader, std::uint8_t flags) {
  DisconnectChange disconnect;
  disconnect.session = SessionId{reader.u64()};
  disconnect.goodbye = flags == disconnect_goodbye;
  if ((flags & ~disconnect_goodbye) != 0) return malformed("unknown flag in a disconnect");
  if (!reader.done()) return malformed("disconnect with a wrong length");
  return Envelope{disconnect};
}

Result<void> read_companions(ByteReader& reader, ExchangeChunk& chunk) {
  const std::size_t count = reader.u16();
  if (!reader.ok() || count * companion_bytes > reader.remaining()) {
    return malformed("more companions than bytes");
  }
  if ((count == 0) != (chunk.index != 0)) return malformed("companions belong in piece 0");
  chunk.companions.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    NodeKey key;
    key.node = NodeId{reader.u32()};
    key.boot = BootId{reader.u32()};
    if (i > 0 && key <= chunk.companions.back()) return malformed("companions out of order");
    chunk.companions.push_back(key);
  }
  return {};
}

Result<void> read_group(ByteReader& reader, ExchangeChunk& chunk) {
  ExchangedGroup group;
  group.name = reader.text8();
  const auto flags = reader.u8();
  const std::size_t count = reader.u16();
  if (!is_valid_word(group.name)) return malformed("exchanged group is not a word");
  if ((flags & ~group_changed) != 0) return malformed("unknown flag of an exchanged group");
  if (!reader.ok() || count * member_bytes_min > reader.remaining()) {
    return malformed("more members than bytes");
  }
  group.changed = (flags & group_changed) != 0;
  group.members.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    ExchangedMember member;
    member.name = reader.text8();
    member.session = SessionId{reader.u64()};
    if (!is_valid_word(member.name)) return malformed("exchanged member is not a word");
    group.members.push_back(member);
  }
  chunk.groups.push_back(std::move(group));
  return {};
}

Result<Envelope> read_exchange(ByteReader& reader, std::uint8_t flags) {
  if ((flags & ~exchange_last) != 0) return malformed("unknown flag in an exchange");
  ExchangeChunk chunk;
  chunk.last = (flags & exchange_last) != 0;
  chunk.configuration.seq = reader.u64();
  chunk.configuration.representative = NodeId{reader.u32()};
  chunk.configuration.boot = BootId{reader.u32()};
  chunk.index = reader.u32();
  if (auto read = read_companions(reader, chunk); !read) return read.error();
  const std::size_t count = reader.u16();
  if (!reader.ok() || count * group_bytes_min > reader.remaining()) {
    return malformed("more groups than bytes");
  }
  chunk.groups.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (auto read = read_group(reader, chunk); !read) return read.error();
  }
  if (!reader.done()) return malformed("exchange with a wrong length");
  return Envelope{std::move(chunk)};
}

/// What goes into one packet comes back in that; the longer ones come back as they were sent.
BufferRef allocate_envelope(std::size_t bytes) {
  const bool comes_back = bytes > datagram_bytes_least;
  return comes_back ? BufferRef::allocate_with_room(bytes, head_room_bytes)
                    : BufferRef::allocate(bytes);
}

}  // namespace

std::size_t header_bytes(const ClientMessage& message) {
  std::size_t bytes = 1 + 1 + 8 + 1 + message.sender.size() + 1;
  if (message.ticket) bytes += 8;
  if (message.type != 0) bytes += 4;
  for (const auto group : message.groups) {
    bytes += 1 + group.size();
  }
  return bytes;
}

BufferRef encode(const Envelope& envelope) {
  if (const auto* const message = std::get_if<ClientMessage>(&envelope)) return encode(*message);
  ByteWriter writer;
  std::visit([&writer](const auto& value) { write(writer, value); }, envelope);
  return BufferRef::copy_of(writer.view());
}

BufferRef encode(const ClientMessage& message) {
  // The payload goes straight into its place: this is its one copy.
  ByteWriter writer;
  writer.reserve(header_bytes(message));
  write(writer, message);
  RC_ASSERT(writer.size() == header_bytes(message));
  RC_ASSERT(writer.size() <= envelope_overhead_max);
  auto buffer = allocate_envelope(writer.size() + message.payload.size());
  const auto out = buffer.writable();
  std::copy(writer.view().begin(), writer.view().end(), out.begin());
  if (!message.payload.empty()) {
    std::memcpy(out.data() + writer.size(), message.payload.data(), message.payload.size());
  }
  return buffer;
}

Result<Envelope> decode_envelope(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto kind = reader.u8();
  const auto flags = reader.u8();
  if (!reader.ok()) return malformed("shorter than its head");
  switch (static_cast<Kind>(kind)) {
    case Kind::message: {
      ClientMessage message;
      const auto read = read_message(reader, flags, bytes, message);
      if (!read) return read.error();
      return Envelope{std::move(message)};
    }
    case Kind::join:
      return read_join(reader, flags);
    case Kind::leave:
      return read_leave(reader, flags);
    case Kind::disconnect:
      return read_disconnect(reader, flags);
    case Kind::exchange:
      return read_exchange(reader, flags);
  }
  return malformed("unknown kind");
}

std::optional<ClientMessage> decode_client_message(std::span<const std::byte> bytes) {
  std::optional<ClientMessage> message;
  ByteReader reader(bytes);
  const auto kind = reader.u8();
  const auto flags = reader.u8();
  if (!reader.ok() || static_cast<Kind>(kind) != Kind::message) return message;
  if (!read_message(reader, flags, bytes, message.emplace())) message.reset();
  return message;
}

std::optional<PrivateGroup> split_private_group(std::string_view destination) {
  if (destination.size() < 2 || destination.front() != '#') return std::nullopt;
  const auto second = destination.find('#', 1);
  if (second == std::string_view::npos) return std::nullopt;
  const PrivateGroup parts{
      .session = destination.substr(1, second - 1), .daemon = destination.substr(second + 1)};
  if (!is_valid_word(parts.session) || !is_valid_word(parts.daemon)) return std::nullopt;
  return parts;
}

}  // namespace ringcast
