// SPDX-License-Identifier: Apache-2.0
//
// What all states of the ring share: inputs and their dispatch, sending, tokens and their
// retransmission, the reserve of ring numbers.
#include "protocol/ring/ring.hpp"

#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

/// An idle token got lost: for so long copies go out early.
constexpr Duration lossy_memory = std::chrono::seconds{60};
constexpr std::uint64_t ring_seq_leap_max = std::uint64_t{1} << 40U;

std::size_t index_of(const std::vector<NodeKey>& members, const NodeKey& key) {
  const auto found = std::find(members.begin(), members.end(), key);
  RC_ASSERT(found != members.end());
  return static_cast<std::size_t>(found - members.begin());
}

}  // namespace

std::string_view to_string(RingPhase phase) {
  switch (phase) {
    case RingPhase::starting:
      return "starting";
    case RingPhase::operational:
      return "operational";
    case RingPhase::gather:
      return "gather";
    case RingPhase::commit:
      return "commit";
    case RingPhase::recovery:
      return "recovery";
    case RingPhase::stopped:
      return "stopped";
  }
  return "unknown";
}

RingState::RingState(
    RingId id, std::vector<NodeKey> ring_members, NodeKey self, const RingConfig& config)
    : ring(id),
      members(std::move(ring_members)),
      my_index(index_of(members, self)),
      window(id, config.window_packets_max, Seq{config.packets_before}),
      delivered{config.packets_before},
      safe_line{config.packets_before},
      last_token_seq(config.tokens_before),
      sent_aru{config.packets_before},
      sent_seq{config.packets_before},
      stuck_aru{config.packets_before} {
  for (const auto& member : members) {
    if (member != self) others.push_back(member.node);
  }
}

bool RingState::is_member(const NodeKey& key) const {
  return std::binary_search(members.begin(), members.end(), key);
}

bool RingState::has_node(NodeId node) const {
  const auto at = std::lower_bound(
      members.begin(), members.end(), node, [](const NodeKey& member, NodeId wanted) {
        return member.node < wanted;
      });
  return at != members.end() && at->node == node;
}

Ring::Ring(const RingConfig& config, NodeId self, std::vector<NodeId> configured, TraceSink* trace)
    : config_(config), self_{self, BootId{}}, configured_(std::move(configured)), trace_(trace) {}

void Ring::begin(Instant now, Effects& effects) {
  RC_ASSERT(now >= now_);
  now_ = now;
  effects_ = &effects;
}

void Ring::finish() {
  RC_ASSERT(effects_ != nullptr);
  pump_self();
  if (phase_ == RingPhase::operational && !queue_.empty(gate_open())) wake_ring();
  pump_self();
  effects_ = nullptr;
}

void Ring::pump_self() {
  while (self_token_ || self_commit_) {
    if (self_commit_) {
      CommitToken commit = *std::exchange(self_commit_, std::nullopt);
      on_commit(PacketHeader{.type = PacketType::commit, .sender = self_}, std::move(commit));
      continue;
    }
    Token token = *std::exchange(self_token_, std::nullopt);
    on_token(PacketHeader{.type = PacketType::token, .sender = self_}, std::move(token));
  }
}

void Ring::set_path(std::uint32_t datagram_bytes, std::uint32_t receive_bytes) {
  path_datagram_bytes_ = datagram_bytes;
  path_receive_bytes_ = receive_bytes;
}

std::uint32_t Ring::own_datagram_bytes() const {
  return std::clamp(path_datagram_bytes_, config_.datagram_bytes_min, config_.datagram_bytes_max);
}

void Ring::start(const StoredState& stored, BootId boot, std::uint64_t seed) {
  RC_ASSERT(phase_ == RingPhase::starting);
  self_.boot = boot;
  random_ = Random(seed);
  // Everything up to the stored number may have been used by an earlier run.
  ring_seq_ = stored.ring_seq_reserved;
  trace(TraceKind::started, TraceLevel::info, Seq{}, [&] {
    return "started as " + to_string(self_) + " -> reserving ring numbers above " +
           std::to_string(ring_seq_);
  });
  (void)reserve(ring_seq_ + 1);
}

bool Ring::reserve(std::uint64_t ring_seq) {
  if (ring_seq <= reserved_) return true;
  // One at a time: of two on their way to the disk, the older might arrive last. Whoever needs
  // more asks again.
  const bool is_waiting = asked_ > reserved_;
  if (!is_waiting) {
    asked_ = ring_seq + ring_seq_block;
    effects_->persist = StoredState{asked_};
  }
  return false;
}

bool Ring::is_plausible(std::uint64_t ring_seq) const {
  return ring_seq < std::max(ring_seq_, heard_seq_) + ring_seq_leap_max;
}

void Ring::on_persisted(const StoredState& stored) {
  reserved_ = std::max(reserved_, stored.ring_seq_reserved);
  if (phase_ == RingPhase::starting) {
    install_first();
  } else if (phase_ == RingPhase::gather) {
    check_consensus();
  }
}

void Ring::enter(RingPhase phase, std::string_view reason) {
  trace(TraceKind::state_entered, TraceLevel::info, Seq{}, [&] {
    return std::string(to_string(phase_)) + " -> " + std::string(to_string(phase)) + "  " +
           std::string(reason);
  });
  phase_ = phase;
}

std::optional<Instant> Ring::next_deadline() const { return timers_.earliest(); }

bool Ring::is_drained() const {
  if (phase_ != RingPhase::operational) return false;
  return queue_.bytes() == 0 && current_->safe_line == current_->window.high();
}

void Ring::submit_client(BufferRef&& message, Service service) {
  queue_.push_client(std::move(message), service);
}

void Ring::submit_exchange(BufferRef message) { queue_.push_exchange(std::move(message)); }

void Ring::open_gate(const RingId& ring) { gate_ring_ = ring; }

void Ring::reconfigure(const RingConfig& config, std::vector<NodeId> configured) {
  config_ = config;
  configured_ = std::move(configured);
  const std::set<NodeId> known(configured_.begin(), configured_.end());
  peers_.keep_only(known);
  reach_.keep_only(known);
  std::erase_if(
      linked_since_, [&known](const auto& entry) { return !known.contains(entry.first.node); });
}

// [MBR-14] The last step: what clients had to say was ordered before.
void Ring::leave() {
  if (phase_ == RingPhase::stopped) return;
  Join join{.leave = true, .ring_seq = ring_seq_, .proc = {self_}, .fail = {self_}};
  std::vector<NodeId> others;
  for (const auto node : configured_) {
    if (node != self_.node) others.push_back(node);
  }
  // Nobody confirms a leave; if all copies are lost the others notice by token loss.
  constexpr int copies = 3;
  for (int i = 0; i < copies; ++i) {
    send(others, encode(join), true);
  }
  timers_.disarm_all();
  held_.reset();
  self_token_.reset();
  self_commit_.reset();
  enter(RingPhase::stopped, "left cleanly");
}

// --- packets -------------------------------------------------------------------------------

void Ring::on_packets(std::span<Packet> packets) {
  // [ORD-6] Data first, so that the token finds what was sent before it; but data that our
  // predecessor sent after the token comes after it.
  const auto is_late_data = [this](const Packet& packet) {
    const auto* const data = std::get_if<Data>(&packet.body);
    const auto& ring = forming_ ? forming_ : current_;
    if (data == nullptr || !data->after_token || !ring) return false;
    return data->originator == ring->predecessor().node && data->seq > ring->sent_seq;
  };
  enum class Turn : std::uint8_t { early_data, token_and_others, late_data };
  const auto turn_of = [&](const Packet& packet) {
    if (!std::holds_alternative<Data>(packet.body)) return Turn::token_and_others;
    return is_late_data(packet) ? Turn::late_data : Turn::early_data;
  };
  std::vector<Turn> turns;
  turns.reserve(packets.size());
  for (const auto& packet : packets) {
    turns.push_back(turn_of(packet));
  }
  for (const auto turn : {Turn::early_data, Turn::token_and_others, Turn::late_data}) {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (turns[i] == turn) dispatch(packets[i]);
    }
    if (std::exchange(has_arrived_, false)) deliver_ready();
  }
}

void Ring::dispatch(Packet& packet) {
  if (phase_ == RingPhase::starting || phase_ == RingPhase::stopped) return;
  if (packet.header.sender.node == self_.node) return;  // our own multicast, or a clone of us
  if (std::find(configured_.begin(), configured_.end(), packet.header.sender.node) ==
      configured_.end()) {
    ++counters_.packets_foreign;
    return;
  }
  const auto& header = packet.header;
  if (auto* const data = std::get_if<Data>(&packet.body)) {
    on_data(header, *data);
  } else if (auto* const token = std::get_if<Token>(&packet.body)) {
    on_token(header, std::move(*token));
  } else if (const auto* const join = std::get_if<Join>(&packet.body)) {
    on_join(header, *join);
  } else if (auto* const commit = std::get_if<CommitToken>(&packet.body)) {
    on_commit(header, std::move(*commit));
  } else if (const auto* const probe = std::get_if<Probe>(&packet.body)) {
    on_probe(header, *probe);
  } else if (const auto* const wakeup = std::get_if<Wakeup>(&packet.body)) {
    on_wakeup(header, *wakeup);
  }
}

bool Ring::hear(const NodeKey& sender) {
  // [MBR-8] The run that works in our ring is silent here: members exchange no joins or probes.
  if (phase_ != RingPhase::gather && peers_.is_dead(sender)) {
    const RingState& ring = forming_ ? *forming_ : *current_;
    const auto live = peers_.boot_of(sender.node);
    if (live && ring.is_member(NodeKey{sender.node, *live})) return false;
  }
  return peers_.hear(sender, now_);
}

void Ring::note_at_work(const RingState& ring) {
  for (const NodeKey& member : ring.members) {
    peers_.note_at_work(member, now_);
  }
}

// [MBR-1] Which state takes data of which ring.
void Ring::on_data(const PacketHeader& header, Data& data) {
  RingState* ring = nullptr;
  if (phase_ == RingPhase::recovery && forming_->ring == data.ring) {
    ring = &*forming_;
  } else if (current_ && current_->ring == data.ring) {
    // Once we told others what we have of the old ring, nothing but recovery may add to it.
    if (phase_ == RingPhase::operational || (phase_ == RingPhase::gather && !frozen_)) {
      ring = &*current_;
    }
  }
  const bool is_of_sender = data.originator == header.sender.node;
  if (ring == nullptr || !ring->is_member(header.sender) ||
      !(is_of_sender || ring->has_node(data.originator))) {
    ++counters_.packets_foreign;
    return;
  }
  // Who installed a ring has all that was recovered in it; more of that would be offered to
  // others as what it is not.
  if (data.recovered && phase_ != RingPhase::recovery) {
    ++counters_.packets_foreign;
    return;
  }
  ++counters_.packets_received;
  const Seq seq = data.seq;
  const bool is_recovered = data.recovered;
  const auto result = ring->window.insert(std::move(data));
  if (result == Window::Insert::duplicate) ++counters_.packets_duplicate;
  if (result == Window::Insert::outside) ++counters_.packets_outside;
  if (result != Window::Insert::stored) return;
  if (seq > ring->sent_seq) evidence_of_progress();
  if (ring == &*current_) {
    has_arrived_ = true;
  } else if (is_recovered) {
    on_recovered(*ring->window.find(seq));
  }
}

void Ring::on_token(const PacketHeader& header, Token token) {
  RingState* ring = nullptr;
  if (phase_ == RingPhase::operational) ring = &*current_;
  if (phase_ == RingPhase::recovery) ring = &*forming_;
  // [ORD-2]
  if (ring == nullptr || token.ring != ring->ring || header.sender != ring->predecessor()) {
    ++counters_.tokens_stale;
    trace(TraceKind::token_dropped, TraceLevel::debug, token.seq, [&] {
      return "token of ring " + to_string(token.ring) + " from " + to_string(header.sender) +
             " -> dropped, not ours now";
    });
    return;
  }
  if (token.token_seq <= ring->last_token_seq) {
    ++counters_.tokens_duplicate;
    trace(TraceKind::token_dropped, TraceLevel::debug, token.seq, [&] {
      return "token #" + std::to_string(token.token_seq) + " again -> dropped";
    });
    return;
  }
  ++counters_.tokens_received;
  ring->last_token_seq = token.token_seq;
  timers_.disarm(Timer::token_retransmit);
  timers_.disarm(Timer::wakeup);
  wakeups_sent_ = 0;
  timers_.arm(Timer::token_loss, now_ + config_.token_loss);
  last_rotation_ = {};
  if (last_visit_ && !ring->idle_hint) {
    last_rotation_ = now_ - *last_visit_;
    fastest_rotation_ = std::min(fastest_rotation_, last_rotation_);
    rotation_ += (last_rotation_ - rotation_) / 8;
  }
  last_visit_ = now_;
  trace(
      TraceKind::token_received,
      TraceLevel::trace,
      token.seq,
      [&] {
        return "token #" + std::to_string(token.token_seq) + " seq " +
               std::to_string(token.seq.value) + " aru " + std::to_string(token.aru.value);
      },
      token.token_seq);
  if (phase_ == RingPhase::operational) {
    visit(std::move(token), true);
  } else {
    visit_recovery(std::move(token));
  }
}

// --- sending -------------------------------------------------------------------------------

void Ring::send(const std::vector<NodeId>& peers, BufferRef packet, bool to_many) {
  if (peers.empty()) return;
  auto& sets = effects_->peer_sets;
  if (sets.empty() || sets.back() != peers) sets.push_back(peers);
  effects_->transmits.push_back(
      Transmit{static_cast<std::uint32_t>(sets.size() - 1), to_many, std::move(packet)});
}

void Ring::send_to_members(const RingState& ring, const BufferRef& packet) {
  send(ring.others, packet, true);
}

void Ring::send_token(RingState& ring, const Token& token) {
  trace(
      TraceKind::token_sent,
      TraceLevel::trace,
      token.seq,
      [&] {
        return "token #" + std::to_string(token.token_seq) + " -> " + to_string(ring.successor());
      },
      token.token_seq);
  if (ring.successor() == self_) {
    self_token_ = token;
    return;
  }
  BufferRef packet = encode(token);
  send({ring.successor().node}, packet, false);
  remember_sent(ring.successor(), std::move(packet), token.idle);
}

void Ring::send_commit(const CommitToken& commit) {
  const auto& members = commit.members;
  const auto mine = std::find_if(
      members.begin(), members.end(), [this](const CommitEntry& e) { return e.member == self_; });
  RC_ASSERT(mine != members.end());
  const auto following = std::next(mine) == members.end() ? members.begin() : std::next(mine);
  if (following->member == self_) {
    self_commit_ = commit;
    return;
  }
  BufferRef packet = encode(commit);
  send({following->member.node}, packet, false);
  remember_sent(following->member, std::move(packet), false);
}

void Ring::remember_sent(NodeKey to, BufferRef packet, bool idle) {
  sent_packet_ = std::move(packet);
  sent_to_ = to;
  sent_idle_ = idle;
  resend_after_ = std::clamp(
      Duration{rotation_ * 3}, config_.token_retransmit_min, config_.token_retransmit_max);
  Duration first = resend_after_;
  if (idle && now_ < lossy_until_) {
    first = resend_after_ = std::min(config_.token_hold / 4, config_.token_retransmit_max);
  } else if (idle) {
    // A token that will be held for a while shows no sign of life until then.
    first = config_.token_hold + config_.token_hold / 4;
    resend_after_ = config_.token_retransmit_max;
  }
  timers_.arm(Timer::token_retransmit, now_ + first);
}

void Ring::retransmit_token() {
  ++counters_.tokens_retransmitted;
  trace(TraceKind::token_retransmitted, TraceLevel::debug, Seq{}, [&] {
    return "no sign of our token -> sent again to " + to_string(sent_to_);
  });
  send({sent_to_.node}, sent_packet_, false);
  if (!sent_idle_) resend_after_ = std::min(resend_after_ * 2, config_.token_retransmit_max);
  timers_.arm(Timer::token_retransmit, now_ + resend_after_);
}

void Ring::on_timers() {
  if (timers_.take_due(Timer::token_retransmit, now_)) {
    // [ORD-9] Where idle tokens get lost, waiting out the hold at each hop would soon be a token
    // loss.
    if (sent_idle_ && now_ >= lossy_until_) lossy_until_ = now_ + lossy_memory;
    retransmit_token();
  }
  if (timers_.take_due(Timer::token_hold, now_)) release_held(false);
  if (timers_.take_due(Timer::wakeup, now_)) wake_ring();
  if (timers_.take_due(Timer::probe, now_)) send_probes();
  if (timers_.take_due(Timer::join, now_)) send_join();
  if (timers_.take_due(Timer::consensus, now_)) on_consensus_timer();
  if (!timers_.take_due(Timer::token_loss, now_)) return;

  ++counters_.tokens_lost;
  trace(TraceKind::token_lost, TraceLevel::info, Seq{}, [&] {
    return "no token for " + std::to_string(config_.token_loss / std::chrono::milliseconds{1}) +
           " ms -> gather";
  });
  switch (phase_) {
    case RingPhase::operational:
      enter_gather("token lost", current_members(), {});
      break;
    case RingPhase::gather:
      enter_gather("no commit token came", proc_, fail_);
      break;
    case RingPhase::commit:
      abort_forming("commit token lost");
      break;
    case RingPhase::recovery:
      abort_forming("token lost in recovery");
      break;
    case RingPhase::starting:
    case RingPhase::stopped:
      RC_UNREACHABLE();
  }
}

}  // namespace ringcast
