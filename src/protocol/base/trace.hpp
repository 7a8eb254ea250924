// SPDX-License-Identifier: Apache-2.0
//
// TraceEvent: what happened inside a node and why, as a typed value with a sentence
// ("what happened -> consequence"). The protocol traces; it does not log. The daemon maps
// events to log lines, tests to transcripts and to the evidence the checkers need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/ids.hpp"

namespace ringcast {

enum class TraceLevel : std::uint8_t { error, warn, info, debug, trace };

enum class TraceKind : std::uint8_t {
  started,        ///< boot id drawn, reserve requested
  state_entered,  ///< text says which state and why
  configuration_installed,
  token_received,
  token_sent,
  token_retransmitted,
  token_dropped,  ///< duplicate, stale ring, wrong sender: text says
  token_lost,
  token_held,
  token_released,
  originated,  ///< seq = the packet; count = messages that end in it
  packet_retransmitted,
  packet_requested,
  packet_dropped,  ///< malformed, foreign, unauthentic: text says
  discarded,       ///< everything up to seq
  safe_line,       ///< moved to seq
  recovery_step,
  merge_detected,
  session_opened,
  session_closed,
  exchange,  ///< group state: started, completed, aborted
  note,
};
constexpr std::size_t trace_kinds = static_cast<std::size_t>(TraceKind::note) + 1;

std::string_view to_string(TraceLevel level);
std::string_view to_string(TraceKind kind);

struct TraceEvent {
  TraceKind kind{TraceKind::note};
  TraceLevel level{TraceLevel::debug};
  RingId ring;
  Seq seq;
  std::uint64_t count{0};
  std::string text;
};

/// Where events go. Implementations must not call back into the node.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  /// False lets the node skip building the sentence.
  [[nodiscard]] virtual bool listens(TraceKind kind, TraceLevel level) const = 0;
  virtual void trace(const TraceEvent& event) = 0;
};

}  // namespace ringcast
