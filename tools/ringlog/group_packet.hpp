// SPDX-License-Identifier: Apache-2.0
//
// GroupPacket: what a web server hands to `ringlog-publish fan-out`, as frames on a pipe
// (packet_frames.hpp): a group, whether its name came from the network, and lines, or how many
// lines the sender had to drop. And what reaches the publisher of one group, one to a packet of a
// unix SOCK_SEQPACKET socket: lines, or such a note. A packet is whole or not there: lines of
// many processes never mix.
//
//   packet = ["*"] GROUP LF body          "*": the name came from the network
//   body   = 1*( LINE LF ) | note
//   note   = NUL "dropped " LINES " " BYTES
//
// Standard library only, no allocation when reading; thread-safe, since pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::ringlog {

/// The longest text of a packet; what the kernel takes by default for one packet is above it.
inline constexpr std::size_t packet_text_bytes_max = std::size_t{256} << 10U;
/// A whole packet, with its group.
inline constexpr std::size_t packet_bytes_max = packet_text_bytes_max + 256;

/// Lines that were dropped before they reached a publisher.
struct DropNote {
  std::uint64_t lines{0};
  std::uint64_t bytes{0};
};

struct GroupPacket {
  std::string_view group;
  bool is_from_network{false};
  std::string_view body;
};

/// "GROUP LF", what a packet begins with.
std::string packet_head(std::string_view group, bool is_from_network);
/// Nothing: the packet has no head, or nothing behind it.
std::optional<GroupPacket> parse_packet(std::string_view packet);

std::string encode_note(const DropNote& note);
/// Nothing: the body is lines.
std::optional<DropNote> parse_note(std::string_view body);

}  // namespace ringcast::ringlog
