// SPDX-License-Identifier: Apache-2.0
#include "sim/input_table.hpp"

#include <cstdio>
#include <string_view>

#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast::sim {

namespace {

constexpr std::array shown_phases{
    RingPhase::starting,
    RingPhase::operational,
    RingPhase::gather,
    RingPhase::commit,
    RingPhase::recovery};

constexpr std::array<std::string_view, 11> names{
    "data",
    "token",
    "join",
    "commit",
    "probe",
    "wakeup",
    "other_packet",
    "timer",
    "persisted",
    "leave",
    "client"};

}  // namespace

InputKind kind_of(std::span<const std::byte> packet) {
  if (packet.size() < packet_header_bytes) return InputKind::other_packet;
  switch (read_header(packet).type) {
    case PacketType::data:
      return InputKind::data;
    case PacketType::token:
      return InputKind::token;
    case PacketType::join:
      return InputKind::join;
    case PacketType::commit:
      return InputKind::commit;
    case PacketType::probe:
      return InputKind::probe;
    case PacketType::wakeup:
      return InputKind::wakeup;
  }
  return InputKind::other_packet;
}

bool is_possible(RingPhase phase, InputKind kind) {
  // A node that starts waits for its disk, and for nothing else: no timer runs.
  return phase != RingPhase::starting || kind != InputKind::timer;
}

std::string cell_name(RingPhase phase, InputKind kind) {
  return "input " + std::string(names[static_cast<std::size_t>(kind)]) + " in " +
         std::string(to_string(phase));
}

void InputTable::add_to(std::map<std::string, std::uint64_t>& counts) const {
  for (const RingPhase phase : shown_phases) {
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      counts[cell_name(phase, static_cast<InputKind>(kind))] +=
          cells_[static_cast<std::size_t>(phase)][kind];
    }
  }
}

std::string show_input_table(const std::map<std::string, std::uint64_t>& counts) {
  char cell[32];
  std::snprintf(cell, sizeof cell, "  %-14s", "input");
  std::string text = cell;
  for (const RingPhase phase : shown_phases) {
    std::snprintf(cell, sizeof cell, "%14s", std::string(to_string(phase)).c_str());
    text += cell;
  }
  for (std::size_t kind = 0; kind < names.size(); ++kind) {
    std::snprintf(cell, sizeof cell, "\n  %-14s", std::string(names[kind]).c_str());
    text += cell;
    for (const RingPhase phase : shown_phases) {
      const auto at = counts.find(cell_name(phase, static_cast<InputKind>(kind)));
      const std::uint64_t count = at == counts.end() ? 0 : at->second;
      std::snprintf(cell, sizeof cell, "%14llu", static_cast<unsigned long long>(count));
      text += is_possible(phase, static_cast<InputKind>(kind)) ? cell : "             -";
    }
  }
  return text + "\n";
}

}  // namespace ringcast::sim
