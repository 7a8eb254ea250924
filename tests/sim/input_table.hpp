// SPDX-License-Identifier: Apache-2.0
//
// InputTable: which input met a node in which phase how often. The table of docs/protocol.md is
// visited when every cell but the impossible ones is counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "protocol/node.hpp"

namespace ringcast::sim {

/// A packet, by its header alone; anything else that a driver tells a node.
enum class InputKind : std::uint8_t {
  data,
  token,
  join,
  commit,
  probe,
  wakeup,
  other_packet,  ///< shorter than a header, or of no type
  timer,
  persisted,
  leave,
  client,
};

InputKind kind_of(std::span<const std::byte> packet);

class InputTable {
 public:
  void add(RingPhase phase, InputKind kind) {
    ++cells_[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)];
  }
  /// Adds "input token in gather" ... to `counts`, every cell that can be.
  void add_to(std::map<std::string, std::uint64_t>& counts) const;

 private:
  static constexpr std::size_t phases = 6;
  static constexpr std::size_t kinds = 11;
  std::array<std::array<std::uint64_t, kinds>, phases> cells_{};
};

/// Some input can come in every phase of a node that runs, with these exceptions.
bool is_possible(RingPhase phase, InputKind kind);
/// "input token in gather": the name of a cell among a run's counts.
std::string cell_name(RingPhase phase, InputKind kind);
/// The table as text, from summed counts. A cell that cannot be is "-".
std::string show_input_table(const std::map<std::string, std::uint64_t>& counts);

}  // namespace ringcast::sim
