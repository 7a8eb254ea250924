// SPDX-License-Identifier: Apache-2.0
//
// What the ring shows of its memory to checkers. Reads everything, decides nothing.
#include "protocol/ring/ring.hpp"

namespace ringcast {
namespace {

RingInspection inspect_ring(const RingState& ring) {
  return RingInspection{
      .ring = ring.ring,
      .window_ring = ring.window.ring(),
      .members = ring.members,
      .aru = ring.window.aru(),
      .high = ring.window.high(),
      .discarded = ring.window.discarded(),
      .delivered = ring.delivered,
      .safe_line = ring.safe_line,
      .sent_seq = ring.sent_seq,
      .last_token_seq = ring.last_token_seq,
      .window_packets = ring.window.capacity(),
      .window_bytes = ring.window.bytes(),
      .flow_window = ring.flow.window()};
}

}  // namespace

Inspection Ring::inspect() const {
  Inspection result;
  result.phase = phase_;
  result.self = self_;
  if (current_) result.current = inspect_ring(*current_);
  if (forming_) result.forming = inspect_ring(*forming_);
  for (std::size_t i = 0; i < timer_count; ++i) {
    const auto deadline = timers_.deadline(static_cast<Timer>(i));
    if (deadline) result.due_in[i] = *deadline - now_;
  }
  result.holds_token = held_.has_value();
  result.owes_itself = self_token_.has_value() || self_commit_.has_value();
  result.tokens_accepted = counters_.tokens_received;
  result.ring_seq = ring_seq_;
  result.ring_seq_reserved = reserved_;
  result.queued_bytes = queue_.bytes();
  result.gate_open = gate_open();
  result.ready_bytes = queue_.ready_bytes(gate_open());
  result.frozen = frozen_;
  result.recovery_queue = recovery_queue_.size();
  result.recovered_seen = recovered_seen_.size();
  result.obligation = obligation_.size();
  result.received_ring = received_ring_;
  if (phase_ == RingPhase::recovery) result.transitional = &transitional_;
  result.partial_messages = unpacker_.partial_messages();
  result.partial_bytes = unpacker_.partial_bytes();
  return result;
}

bool Ring::holds(const RingId& ring, Seq seq) const {
  for (const auto* state : {&current_, &forming_}) {
    if (!*state || (*state)->ring != ring) continue;
    return seq <= (*state)->window.discarded() || (*state)->window.find(seq) != nullptr;
  }
  return false;
}

}  // namespace ringcast
