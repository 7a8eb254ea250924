// SPDX-License-Identifier: Apache-2.0
//
// Envelope: what one ring message means to groups, and its bytes. The ring already says who
// originated it and with which service; an envelope adds the session, the names and the kind,
// and leaves out what a kind does not need. Layouts: docs/groups.md [GRP-12].
//
// Whatever bytes come, decode returns a fully checked value or an error naming the rule broken;
// it never asserts, since the bytes are another daemon's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "ringcast/names.hpp"
#include "ringcast/result.hpp"
#include "ringcast/view.hpp"

#include "protocol/base/buffer.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/short_list.hpp"

namespace ringcast {

inline constexpr std::size_t groups_per_message_max = 64;
/// More than any client message needs beside its payload: kind, flags, session, ticket, type,
/// sender and destinations. The ring must carry message_bytes_max + this.
inline constexpr std::size_t envelope_overhead_max =
    1 + 1 + 8 + 8 + 4 + (1 + name_bytes_max) + 1 +
    groups_per_message_max * (1 + destination_bytes_max);
/// Exchange envelopes are cut before they grow longer than this.
inline constexpr std::size_t exchange_envelope_bytes_max = std::size_t{64} << 10U;

// Views in these refer to the caller's strings (encode) or to the decoded bytes (decode).

struct ClientMessage {
  SessionId session;
  std::string_view sender;
  bool echo{true};
  std::optional<std::uint64_t> ticket;  ///< set: the publisher wants a confirmation
  std::int32_t type{0};
  ShortList<std::string_view> groups;  ///< words or private groups, as the sender named them
  std::span<const std::byte> payload;
};

struct JoinChange {
  SessionId session;
  std::string_view name;
  std::string_view group;
};

struct LeaveChange {
  SessionId session;
  std::string_view group;
};

struct DisconnectChange {
  SessionId session;
  bool goodbye{false};  ///< true: its groups see a leave
};

struct ExchangedMember {
  std::string_view name;
  SessionId session;
};

struct ExchangedGroup {
  std::string_view name;
  bool changed{false};  ///< a member was lost since the group's last network view
  std::vector<ExchangedMember> members;
};

/// One piece of one daemon's share in an exchange.
struct ExchangeChunk {
  RingId configuration;  ///< that the exchange is for
  std::uint32_t index{0};
  bool last{false};
  std::vector<NodeKey> companions;  ///< in ascending order; only in the piece with index 0
  std::vector<ExchangedGroup> groups;
};

using Envelope =
    std::variant<ClientMessage, JoinChange, LeaveChange, DisconnectChange, ExchangeChunk>;

/// Bytes in front of the payload. ENSURES: <= envelope_overhead_max.
std::size_t header_bytes(const ClientMessage& message);

/// REQUIRES: names and counts within their limits.
BufferRef encode(const Envelope& envelope);
BufferRef encode(const ClientMessage& message);

/// Errors: malformed. The value refers to `bytes`.
Result<Envelope> decode_envelope(std::span<const std::byte> bytes);
/// A client's message, without the way through a variant; nothing when it is of another kind or
/// malformed: decode_envelope() knows.
std::optional<ClientMessage> decode_client_message(std::span<const std::byte> bytes);

/// The parts of "#name#daemon".
struct PrivateGroup {
  std::string_view session;
  std::string_view daemon;
};

/// Nothing when `destination` is not a well-formed private group.
std::optional<PrivateGroup> split_private_group(std::string_view destination);

}  // namespace ringcast
