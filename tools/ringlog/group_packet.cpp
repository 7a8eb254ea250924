// SPDX-License-Identifier: Apache-2.0
//
// Packets of lines with their group.
#include "tools/ringlog/group_packet.hpp"

#include <charconv>

namespace ringcast::ringlog {

namespace {

constexpr std::string_view note_head("\0dropped ", 9);

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return value;
}

}  // namespace

std::string packet_head(std::string_view group, bool is_from_network) {
  std::string head = is_from_network ? "*" : "";
  head += group;
  return head += '\n';
}

std::optional<GroupPacket> parse_packet(std::string_view packet) {
  GroupPacket parsed;
  parsed.is_from_network = packet.substr(0, 1) == "*";
  if (parsed.is_from_network) packet.remove_prefix(1);
  const auto end = packet.find('\n');
  if (end == 0 || end == std::string_view::npos || end + 1 == packet.size()) return std::nullopt;
  parsed.group = packet.substr(0, end);
  parsed.body = packet.substr(end + 1);
  return parsed;
}

std::string encode_note(const DropNote& note) {
  return std::string(note_head) + std::to_string(note.lines) + " " + std::to_string(note.bytes);
}

std::optional<DropNote> parse_note(std::string_view body) {
  if (body.substr(0, note_head.size()) != note_head) return std::nullopt;
  body.remove_prefix(note_head.size());
  const auto lines = take_number(body);
  if (!lines || body.substr(0, 1) != " ") return std::nullopt;
  body.remove_prefix(1);
  const auto bytes = take_number(body);
  if (!bytes || !body.empty()) return std::nullopt;
  return DropNote{*lines, *bytes};
}

}  // namespace ringcast::ringlog
