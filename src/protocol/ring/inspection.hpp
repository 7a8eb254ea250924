// SPDX-License-Identifier: Apache-2.0
//
// Inspection: a look into a node's memory between two inputs, for checkers that judge more than
// what a node tells. Plain values; nothing in the protocol reads them, nothing can be changed
// through them. Spans and pointers are valid until the node's next input.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>

#include "protocol/base/ids.hpp"
#include "protocol/base/time.hpp"
#include "protocol/ring/phase.hpp"
#include "protocol/ring/timers.hpp"

namespace ringcast {

/// One ring as this node takes part in it.
struct RingInspection {
  RingId ring;
  RingId window_ring;  ///< of the packets it keeps; must be `ring`
  std::span<const NodeKey> members;
  Seq aru;
  Seq high;
  Seq discarded;
  Seq delivered;
  Seq safe_line;
  Seq sent_seq;                     ///< on the token sent last
  std::uint64_t last_token_seq{0};  ///< of the token accepted last
  std::uint32_t window_packets{0};  ///< how far above `discarded` a packet may lie
  std::uint64_t window_bytes{0};    ///< memory of the packets kept
  std::uint64_t flow_window{0};     ///< cost that may be sent in one rotation
};

struct Inspection {
  RingPhase phase{RingPhase::starting};
  NodeKey self;
  std::optional<RingInspection> current;  ///< installed
  std::optional<RingInspection> forming;  ///< from commit until its install
  /// From its last input on; nothing: not armed.
  std::array<std::optional<Duration>, timer_count> due_in{};
  bool holds_token{false};
  bool owes_itself{false};  ///< a token to ourselves was left lying about
  std::uint64_t tokens_accepted{0};
  std::uint64_t ring_seq{0};           ///< newest ring it took part in forming
  std::uint64_t ring_seq_reserved{0};  ///< as it was told
  std::uint64_t queued_bytes{0};       ///< waiting for the token, behind the gate or not
  std::uint64_t ready_bytes{0};        ///< of these, what may be originated now
  bool gate_open{false};

  // What recovery keeps.
  bool frozen{false};
  std::size_t recovery_queue{0};
  std::size_t recovered_seen{0};
  std::size_t obligation{0};
  RingId received_ring;
  const std::set<NodeKey>* transitional{nullptr};  ///< in recovery: of what is to come

  // Unfinished messages.
  std::size_t partial_messages{0};
  std::uint64_t partial_bytes{0};
};

}  // namespace ringcast
