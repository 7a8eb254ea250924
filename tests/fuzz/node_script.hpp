// SPDX-License-Identifier: Apache-2.0
//
// NodeScript: what the target `node` does to a node, step by step, as bytes and back. Every step
// has the same form, so that any bytes are a script, and so that a mutator can cut, copy and
// move whole steps: u8 action, u8 a, u8 b, u16 length, that many bytes; little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringcast::fuzz {

enum class Action : std::uint8_t {
  packet,   ///< from sender a: a packet type and a body; they get a header and a true tag
  reflect,  ///< from sender a: a packet the node sent, the b-th last, changed by the bytes
  timer,    ///< time goes on to the next deadline, b more times after the first
  wait,     ///< time goes on by a + 256 b units of 50 us
  persist,  ///< what the node asked to store is stored
  open,     ///< a client connects
  bytes,    ///< client a sends the bytes
  ask,      ///< client a sends the well-formed request b, made of the bytes
  written,  ///< client a's socket has taken all that was written for it
  closed,   ///< client a's socket is gone
  reload,   ///< daemons a are configured, limits b
  leave,    ///< the node is to stop
};
inline constexpr std::uint8_t actions = static_cast<std::uint8_t>(Action::leave) + 1;

struct Step {
  Action action{Action::packet};
  std::uint8_t a{0};
  std::uint8_t b{0};
  std::vector<std::byte> bytes;
};

using NodeScript = std::vector<Step>;

inline constexpr std::size_t steps_max = 160;

NodeScript decode_script(std::span<const std::byte> input);
/// Steps that do not fit are left out.
std::vector<std::byte> encode_script(const NodeScript& script, std::size_t bytes_max);

}  // namespace ringcast::fuzz
