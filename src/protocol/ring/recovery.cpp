// SPDX-License-Identifier: Apache-2.0
//
// Recovery: on the new ring, those who come from the same old ring give one another what they
// miss of it; then each installs, alone, in one step: what can still be delivered in the old
// configuration, the transitional configuration, the rest, the new configuration.
//
// What makes it right when it fails midway (Agarwal's thesis, figure 4.16): once a node knows
// that it has everything, the others may install and rely on it, so from then on it owes the
// delivery of what they deliver, whatever it installs in the end (obligation_). An obligation
// ends only with an install. See [REC-1] to [REC-9].
#include <algorithm>
#include <iterator>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/ring/ring.hpp"
#include "protocol/ring/token_rules.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {

void Ring::enter_recovery(const CommitToken& commit) {
  RingState& ring = *forming_;
  ring.datagram_bytes = own_datagram_bytes();
  std::uint64_t window = path_receive_bytes_ / 3;
  std::uint32_t window_packets = config_.window_packets_max;
  for (const auto& entry : commit.members) {
    ring.datagram_bytes = std::min(ring.datagram_bytes, entry.datagram_bytes);
    window = std::min<std::uint64_t>(window, entry.window_bytes);
    window_packets = std::min(window_packets, entry.window_packets);
  }
  // [FLW-2] One width for all: what one member may send, each of the others can hold, on this
  // ring and when it is given again in the next one's recovery.
  ring.window = Window(ring.ring, window_packets, Seq{config_.packets_before});
  ring.datagram_bytes = std::max(ring.datagram_bytes, config_.datagram_bytes_min);
  ring.flow.reset(window);
  my_flag_ = false;
  token_started_ = false;
  flag_clear_visits_ = 0;
  install_seq_.reset();
  plan_exchange(commit);
  enter(RingPhase::recovery, "all told what they bring");
}

void Ring::plan_exchange(const CommitToken& commit) {
  transitional_.clear();
  obligation_plan_.clear();
  recovery_queue_.clear();
  recovered_seen_.clear();
  const RingState& old = *current_;
  Seq low = old.window.aru();
  bool all_received = true;
  for (const auto& entry : commit.members) {
    if (entry.old_ring != old.ring || !old.is_member(entry.member)) continue;
    transitional_.insert(entry.member);
    obligation_plan_.insert(entry.member.node);
    for (std::size_t i = 0; i < old.members.size(); ++i) {
      if (entry.obligation[i]) obligation_plan_.insert(old.members[i].node);
    }
    low = std::min(low, entry.old_aru);
    known_delivered_ = std::max(known_delivered_, entry.high_delivered);
    // [REC-4] Only who received everything in one and the same attempt has the same set.
    if (entry.received_ring.seq == 0 || entry.received_ring != received_ring_) all_received = false;
  }
  if (!all_received) {
    // What this exchange adds makes an older "received everything" untrue; what it obliged us
    // to stays.
    received_ring_ = {};
    const Seq held = std::max(low, old.window.discarded());
    for (Seq seq = next(held); seq <= old.window.high(); seq = next(seq)) {
      if (old.window.find(seq) != nullptr) recovery_queue_.push_back(seq);
    }
    // [WIR-7] What we packed alone may be larger than any path.
    RC_ASSERT(!old.others.empty() || recovery_queue_.empty());
  } else {
    trace(TraceKind::recovery_step, TraceLevel::debug, low, [] {
      return "all received everything in the same attempt -> nothing to offer";
    });
  }
  trace(
      TraceKind::recovery_step,
      TraceLevel::debug,
      low,
      [&] {
        return std::to_string(transitional_.size()) + " of " +
               std::to_string(commit.members.size()) + " come from ring " + to_string(old.ring) +
               " -> " + std::to_string(recovery_queue_.size()) + " packets to offer above " +
               std::to_string(low.value);
      },
      recovery_queue_.size());
}

void Ring::start_token() {
  token_started_ = true;
  evidence_of_progress();
  visit_recovery(
      resting_token(forming_->ring, config_.tokens_before + 1, Seq{config_.packets_before}));
}

void Ring::on_recovered(const Data& data) {
  auto inner = decode_recovered(data);
  // Of another old ring: nothing to us. [REC-9]
  if (!inner || inner->ring != current_->ring || !current_->has_node(inner->originator)) return;
  recovered_seen_.insert(inner->seq);
  if (current_->window.insert(std::move(*inner)) == Window::Insert::outside) {
    ++counters_.packets_outside;
  }
}

// Nothing: a packet number is taken, though only the token gives numbers.
std::optional<std::uint64_t> Ring::originate_recovered(
    RingState& ring, Token& token, std::uint64_t allowance) {
  std::uint64_t cost = 0;
  const std::uint32_t capacity = ring.window.capacity() / 2;  // [FLW-2]
  while (!recovery_queue_.empty() && cost < allowance &&
         token.seq.value - ring.window.discarded().value < capacity) {
    const Seq seq = recovery_queue_.front();
    recovery_queue_.pop_front();
    if (recovered_seen_.contains(seq)) continue;
    const Data* const old = current_->window.find(seq);
    RC_ASSERT(old != nullptr);
    Data data;
    data.ring = ring.ring;
    data.seq = next(token.seq);
    data.originator = self_.node;
    data.recovered = true;
    encode_recovered(data, old->body());
    if (ring.window.insert(data) != Window::Insert::stored) return std::nullopt;
    token.seq = data.seq;
    cost += datagram_cost(data.datagram_bytes());
    ++counters_.packets_originated;
    trace(TraceKind::originated, TraceLevel::trace, data.seq, [&] {
      return "old packet " + std::to_string(seq.value) + " sent again";
    });
    send_to_members(ring, data.datagram());
  }
  return cost;
}

void Ring::note_flag(Token& token) {
  // [REC-3] Set while anybody has packets left; cleared by nobody but who set it.
  if (!recovery_queue_.empty()) {
    if (!token.retransmitting) {
      token.retransmitting = true;
      my_flag_ = true;
    }
  } else if (my_flag_ && token.retransmitting) {
    token.retransmitting = false;
    my_flag_ = false;
  }
  flag_clear_visits_ = token.retransmitting ? 0 : flag_clear_visits_ + 1;
  if (flag_clear_visits_ < 2) install_seq_.reset();
  if (flag_clear_visits_ == 2) install_seq_ = token.seq;
}

void Ring::visit_recovery(Token token) {
  RingState& ring = *forming_;
  const std::uint64_t requested = count(token.rtr);
  std::uint64_t cost = answer_requests(ring, token);
  const std::uint64_t waiting = recovery_queue_.size() * datagram_cost(ring.datagram_bytes);
  const std::uint64_t allowance = ring.flow.allowance(FlowControl::Visit{
      .fcc = token.fcc, .backlog = token.backlog, .own_backlog = waiting, .requested = requested});
  const auto offered = originate_recovered(ring, token, allowance);
  if (!offered) {
    abort_forming("a packet number was used twice");
    return;
  }
  cost += *offered;
  token.fcc = ring.flow.account(token.fcc, cost);
  token.backlog = ring.flow.account_backlog(
      token.backlog, recovery_queue_.size() * datagram_cost(ring.datagram_bytes));
  note_flag(token);
  token.idle = false;

  // [REC-5] Whoever has not installed does not let the aru pass the point of install, so that
  // nothing of the new ring becomes safe before all installed it.
  Seq my_aru = std::min(ring.window.aru(), token.seq);
  if (install_seq_) my_aru = std::min(my_aru, *install_seq_);
  update_aru(token, my_aru, self_.node);
  request_missing(ring, token);
  ++token.token_seq;
  timers_.arm(Timer::token_loss, now_ + config_.token_loss);
  send_token(ring, token);
  advance_safe_line(ring, token);
  ring.sent_seq = token.seq;
  watch_stuck_member(ring, token);
  if (phase_ != RingPhase::recovery) return;
  while (true) {  // recovered packets are done with as soon as they are here
    const Data* const packet = ring.window.find(next(ring.delivered));
    if (packet == nullptr || !packet->recovered) break;
    ring.delivered = packet->seq;
  }
  ring.window.discard(std::max(ring.window.discarded(), std::min(ring.safe_line, ring.delivered)));

  if (!install_seq_) return;
  if (ring.window.aru() >= *install_seq_ && received_ring_ != ring.ring) {
    received_ring_ = ring.ring;
    obligation_ = obligation_plan_;
    trace(TraceKind::recovery_step, TraceLevel::debug, *install_seq_, [] {
      return "everything received -> obliged to deliver it";
    });
  }
  if (flag_clear_visits_ >= 3 && ring.safe_line >= *install_seq_) install();
}

// --- install -------------------------------------------------------------------------------

void Ring::install() {
  RC_ASSERT(received_ring_ == forming_->ring);
  const RingId old_ring = current_->ring;
  const bool owes_absent = std::any_of(obligation_.begin(), obligation_.end(), [&](NodeId node) {
    return std::none_of(transitional_.begin(), transitional_.end(), [&](const NodeKey& key) {
      return key.node == node;
    });
  });
  if (owes_absent) {
    trace(TraceKind::recovery_step, TraceLevel::debug, *install_seq_, [] {
      return "obliged to absent members -> their messages are delivered too";
    });
  }
  // [DLV-3] What was ordered and both configurations leave in one stream.
  deliver_old_regular(std::max(known_delivered_, current_->safe_line));
  ordered_.emplace_back(ConfigurationChange{
      .kind = ConfigurationChange::Kind::transitional,
      .id = forming_->ring,  // with the old one its name [MBR-4]
      .previous = old_ring,
      .members = {transitional_.begin(), transitional_.end()}});
  deliver_old_transitional();
  ordered_.emplace_back(ConfigurationChange{
      .kind = ConfigurationChange::Kind::regular,
      .id = forming_->ring,
      .previous = old_ring,
      .members = forming_->members});
  current_ = std::move(forming_);
  forming_.reset();
  unpacker_.clear();
  queue_.restart();
  std::erase_if(
      linked_since_, [this](const auto& entry) { return current_->has_node(entry.first.node); });
  note_left_out();
  proc_.clear();
  fail_.clear();
  frozen_ = false;
  received_ring_ = {};
  obligation_.clear();
  known_delivered_ = {};
  attempts_ = {};
  recovered_seen_.clear();
  ++counters_.configurations;
  enter(RingPhase::operational, "everything exchanged");
  trace(
      TraceKind::configuration_installed,
      TraceLevel::info,
      Seq{},
      [&] {
        return "regular " + to_string(current_->ring) + " of " +
               std::to_string(current_->members.size());
      },
      current_->members.size());
  timers_.arm(Timer::probe, now_ + news_delay);
  deliver_ready();  // [REC-8] others may have installed and sent before
}

void Ring::deliver_old_regular(Seq high_known) {
  RingState& old = *current_;
  while (true) {
    const Data* const packet = old.window.find(next(old.delivered));
    if (packet == nullptr || (packet->safe && packet->seq > high_known)) return;
    old.delivered = packet->seq;
    if (!packet->recovered) unpacker_.unpack(*packet, false, ordered_);
  }
}

void Ring::note_step(Seq seq, const char* what) const {
  trace(TraceKind::recovery_step, TraceLevel::debug, seq, [what] { return what; });
}

void Ring::deliver_old_transitional() {
  RingState& old = *current_;
  bool behind_gap = false;
  for (Seq seq = next(old.delivered); seq <= old.window.high(); seq = next(seq)) {
    const Data* const packet = old.window.find(seq);
    if (packet == nullptr) {
      if (!behind_gap) note_step(seq, "a packet is missing -> behind it only what is owed");
      behind_gap = true;
      continue;
    }
    // [DLV-4] Behind a gap only who owes or is owed: others' messages may depend on what is
    // missing.
    if (behind_gap && !obligation_.contains(packet->originator)) {
      ++counters_.messages_discarded;
      continue;
    }
    if (behind_gap) note_step(seq, "delivered behind a gap");
    if (!packet->recovered) unpacker_.unpack(*packet, true, ordered_);
  }
}

void Ring::note_left_out() {
  for (const auto& key : fail_) {
    const bool is_configured =
        std::find(configured_.begin(), configured_.end(), key.node) != configured_.end();
    if (!is_configured || peers_.is_dead(key)) continue;
    peers_.back_off(key, now_, config_.probe_interval * 2, config_.backoff_max);
    reach_.forget(key);  // [MBR-15] by a way that probes used a while ago it is not reached
  }
}

}  // namespace ringcast
