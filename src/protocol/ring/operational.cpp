// SPDX-License-Identifier: Apache-2.0
//
// Operational: the token rotates and messages are ordered. Inputs, in the order all states
// handle them: data (deliver what became deliverable), token (one visit), join and leave,
// commit token (ignored: it belongs to a gather we are not in), probe, wakeup, timers. Of others
// than our members other_rings.cpp hears.
#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/ring/packer.hpp"
#include "protocol/ring/ring.hpp"
#include "protocol/ring/token_rules.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

// At least so many before the token says "I will be held"; held at the next, everyone saw aru ==
// seq twice. [ORD-9]
constexpr std::uint32_t quiet_visits_to_announce = 2;
constexpr Duration wakeup_interval = std::chrono::milliseconds{3};

constexpr std::size_t answered_visits_max = 4;  ///< this one and three before

}  // namespace

// [ORD-5] Our way to who asks may be cut. As many turns as there are others who may have it.
bool RingState::is_others_turn(Seq requested) const {
  const std::size_t turns =
      std::min(members.size() - std::min<std::size_t>(members.size(), 2), answered.size() - 1);
  return std::any_of(
      answered.begin() + 1,
      answered.begin() + 1 + static_cast<std::ptrdiff_t>(turns),
      [&](const std::vector<SeqRange>& visit) { return contains(visit, requested); });
}

// [MBR-2]
void Ring::install_first() {
  ring_seq_ = ring_seq_ + 1;
  const RingId id{ring_seq_, self_.node, self_.boot};
  current_.emplace(id, std::vector<NodeKey>{self_}, self_, config_);
  current_->datagram_bytes = own_datagram_bytes();
  current_->flow.reset(path_receive_bytes_ / 3);
  ordered_.emplace_back(ConfigurationChange{
      .kind = ConfigurationChange::Kind::regular, .id = id, .previous = {}, .members = {self_}});
  ++counters_.configurations;
  enter(RingPhase::operational, "alone at first");
  trace(TraceKind::configuration_installed, TraceLevel::info, Seq{}, [&] {
    return "regular " + to_string(id) + " of 1";
  });
  held_ = resting_token(id, config_.tokens_before + 1, Seq{config_.packets_before});
  timers_.arm(Timer::probe, now_);
}

// --- the visit -----------------------------------------------------------------------------

void Ring::visit(Token token, bool may_hold) {
  RingState& ring = *current_;
  const Seq received_seq = token.seq;
  const std::uint64_t requested = count(token.rtr);
  const std::uint64_t again = answer_requests(ring, token);
  originate(ring, token, requested);
  std::uint64_t cost = again;
  for (const auto& packet : originated_) {
    cost += datagram_cost(packet.datagram_bytes());
  }

  token.fcc = ring.flow.account(token.fcc, cost);
  token.backlog = ring.flow.account_backlog(token.backlog, queue_.ready_bytes(gate_open()));
  const bool quiet = note_quiet(ring, token, may_hold, received_seq);
  update_aru(token, std::min(ring.window.aru(), token.seq), self_.node);
  request_missing(ring, token);
  ++token.token_seq;

  transmit_visit(ring, token, quiet);
  originated_.clear();  // the window has what was sent
  advance_safe_line(ring, token);
  ring.sent_seq = token.seq;
  if (phase_ != RingPhase::operational) return;
  deliver_ready();
  watch_stuck_member(ring, token);
}

void Ring::request_missing(const RingState& ring, Token& token) {
  // Whoever asked for what is safe by now has it: nobody need answer. [ORD-3]
  drop_requests(token.rtr, std::min(ring.sent_aru, token.aru));
  // [ORD-5] Later packets may still be on their way: they were sent after their token.
  const std::uint64_t before = count(token.rtr);
  // Nor are there any above a token that went back, as only a broken peer's does.
  add_requests(token.rtr, ring.window, std::min(ring.sent_seq, token.seq));
  const std::uint64_t after = count(token.rtr);
  if (after <= before) return;  // fewer: a token holds so many ranges and no more
  const std::uint64_t added = after - before;
  counters_.packets_requested += added;
  trace(
      TraceKind::packet_requested,
      TraceLevel::debug,
      next(ring.window.aru()),
      [&] { return std::to_string(added) + " packets asked for"; },
      added);
}

std::uint64_t Ring::answer_requests(RingState& ring, Token& token) {
  ring.answered.emplace_front();
  while (ring.answered.size() > answered_visits_max) {
    ring.answered.pop_back();
  }
  if (token.rtr.empty()) return 0;
  const std::uint64_t budget = ring.flow.window() / 2;  // [FLW-4]
  std::uint64_t cost = 0;
  std::vector<SeqRange> open;
  for (const auto& range : token.rtr) {
    cost += answer_request(ring, range, budget - std::min(cost, budget), open);
  }
  if (open.size() > retransmit_ranges_max) open.resize(retransmit_ranges_max);
  token.rtr.swap(open);
  return cost;
}

std::uint64_t Ring::answer_request(
    RingState& ring, const SeqRange& range, std::uint64_t budget, std::vector<SeqRange>& open) {
  const std::uint64_t end = range.first.value + range.count;
  const std::uint64_t held_end = std::min(end, ring.window.high().value + 1);
  std::uint64_t cost = 0;
  // Up to the safe line everyone has them.
  std::uint64_t s = std::max(range.first.value, ring.window.discarded().value + 1);
  for (; s < held_end; ++s) {
    const Data* const held = ring.window.find(Seq{s});
    if (held == nullptr || cost >= budget || ring.is_others_turn(Seq{s})) {
      append_seq(open, Seq{s});
      continue;
    }
    append_seq(ring.answered.front(), Seq{s});
    cost += datagram_cost(held->datagram_bytes());
    ++counters_.packets_retransmitted;
    trace(
        TraceKind::packet_retransmitted, TraceLevel::debug, Seq{s}, [] { return "as requested"; });
    send_to_members(ring, held->datagram());
  }
  // Nobody here has the rest; it stays one range.
  if (s < end) {
    open.push_back(SeqRange{.first = Seq{s}, .count = static_cast<std::uint32_t>(end - s)});
  }
  return cost;
}

// [FLW-3] A long path is not our doing: sending less would not shorten its rotations.
Duration Ring::slow_rotation() const {
  const Duration path = std::min<Duration>(2 * fastest_rotation_, config_.token_loss / 2);
  return std::max<Duration>(path, config_.token_loss / 8);
}

void Ring::originate(RingState& ring, Token& token, std::uint64_t requested) {
  RC_ASSERT(originated_.empty());
  const bool open = gate_open();
  if (queue_.empty(open)) return;
  if (numbers_run_out(ring.window, token.seq)) {
    // [ORD-11] A packet beyond the limit would be refused by all, in recovery too.
    enter_gather("the ring's packet numbers run out", current_members(), {});
    return;
  }
  const std::uint64_t allowance = ring.flow.allowance(FlowControl::Visit{
      .fcc = token.fcc,
      .backlog = token.backlog,
      .own_backlog = queue_.ready_bytes(open),
      .requested = requested,
      .is_slow = last_rotation_ > slow_rotation()});
  // A recovered packet must fit too, header within header. [WIR-7]
  const std::size_t room = ring.packet_bytes() - data_overhead_bytes - data_header_bytes;
  // [FLW-2] Half, because a member's own window may end where the safe line was one rotation ago.
  const std::uint32_t capacity = ring.window.capacity() / 2;
  std::uint64_t cost = 0;
  while (cost < allowance && token.seq.value - ring.safe_line.value < capacity &&
         ring.window.bytes() < config_.window_bytes_max) {
    if (ring.window.find(next(token.seq)) != nullptr) {
      // Somebody numbered a packet without holding the token; nothing good can follow.
      packed_.entries.clear();
      originated_.clear();
      enter_gather("a packet number was used twice", current_members(), {});
      return;
    }
    packed_ = pack(queue_, open, room, std::move(packed_));
    if (packed_.entries.empty()) break;
    Data& data = originated_.emplace_back();
    data.ring = ring.ring;
    data.seq = next(token.seq);  // [ORD-1]
    data.originator = self_.node;
    data.safe = packed_.safe;
    encode_data(
        data, packed_.entries, packet_memory_.allocate(data_overhead_bytes + packed_.bytes));
    RC_ASSERT(data.datagram_bytes() + data_header_bytes <= ring.packet_bytes());
    const auto inserted = ring.window.insert(data);
    RC_ASSERT(inserted == Window::Insert::stored);
    if (!packed_.begun.empty()) {
      unpacker_.expect(ring.ring, data.seq, std::exchange(packed_.begun, BufferRef{}));
    }
    token.seq = data.seq;
    cost += datagram_cost(data.datagram_bytes());
    ++counters_.packets_originated;
    trace(
        TraceKind::originated,
        TraceLevel::trace,
        data.seq,
        [&] { return "packet of " + std::to_string(packed_.entries.size()) + " entries"; },
        packed_.messages_ended);
  }
  packed_.entries.clear();  // or they would hold what was sent
  if (!queue_.empty(open)) note_held_back(ring, token.seq, cost >= allowance);
}

void Ring::note_held_back(const RingState& ring, Seq seq, bool is_share_used) const {
  const bool is_full = seq.value - ring.safe_line.value >= ring.window.capacity() / 2;
  const char* const limit = is_share_used ? "its share is used up"
                            : is_full     ? "the window of numbers is full"
                                          : "the window of bytes is full";
  trace(TraceKind::note, TraceLevel::trace, seq, [&] {
    return std::string("more to send, but ") + limit;
  });
}

void Ring::transmit_visit(RingState& ring, const Token& token, bool hold) {
  auto& packets = originated_;
  if (phase_ != RingPhase::operational) return;
  // The accelerated ring [ORD-4]: the token, already counting all packets, leaves before the
  // last of them. Not so where anything is safe: whoever has not got all of it when the token comes
  // keeps the aru down for a rotation more.
  const bool has_safe =
      std::any_of(packets.begin(), packets.end(), [](const Data& packet) { return packet.safe; });
  const std::size_t tail = has_safe ? 0 : packets.size() * config_.accelerated_percent / 100;
  const std::size_t head = packets.size() - tail;
  for (std::size_t i = 0; i < head; ++i) {
    send_to_members(ring, packets[i].datagram());
  }
  ring.idle_hint = token.idle;
  if (hold) {
    held_ = token;
    timers_.disarm(Timer::token_loss);
    timers_.arm(Timer::token_hold, now_ + config_.token_hold);
    if (ring.members.size() == 1) timers_.disarm(Timer::token_hold);
    trace(TraceKind::token_held, TraceLevel::trace, token.seq, [] { return "idle -> token held"; });
  } else {
    send_token(ring, token);
  }
  for (std::size_t i = head; i < packets.size(); ++i) {
    mark_after_token(packets[i]);
    send_to_members(ring, packets[i].datagram());
  }
}

bool Ring::note_quiet(RingState& ring, Token& token, bool may_hold, Seq received_seq) {
  // `token` is as received but for seq, fcc, backlog and answered requests.
  const bool nothing_new = token.seq == received_seq && received_seq == ring.sent_seq;
  const bool all_have_all = token.aru == received_seq && token.rtr.empty();
  const bool quiet = nothing_new && all_have_all && token.backlog == 0;
  if (!ring.is_representative()) {
    if (!quiet) token.idle = false;
    return false;
  }
  if (!quiet) {
    ring.quiet_visits = 0;
  } else if (may_hold) {
    if (ring.quiet_visits == 0) ring.quiet_since = now_;
    ++ring.quiet_visits;
  }
  const bool hold = may_hold && ring.idle_hint && ring.quiet_visits > quiet_visits_to_announce;
  // Alone we would pass it to ourselves until then, in one input.
  const bool is_long =
      ring.members.size() == 1 || now_ - ring.quiet_since >= config_.token_rest_after;
  token.idle = ring.quiet_visits >= quiet_visits_to_announce && is_long;
  return hold;
}

void Ring::advance_safe_line(RingState& ring, const Token& token) {
  // [ORD-3] Between two visits the token passed everyone, and everyone could lower its aru.
  const Seq safe = std::min(ring.sent_aru, token.aru);
  ring.sent_aru = token.aru;
  if (safe <= ring.safe_line) return;
  RC_ASSERT(safe <= ring.window.aru());
  ring.safe_line = safe;
  trace(TraceKind::safe_line, TraceLevel::trace, safe, [] { return "held by all"; });
}

void Ring::watch_stuck_member(RingState& ring, const Token& token) {
  // [MBR-10] The others fail the member that keeps the aru down, never itself.
  const bool moved = token.aru != ring.stuck_aru || token.aru == token.seq;
  if (moved || !token.aru_id || *token.aru_id == self_.node) {
    ring.stuck_aru = token.aru;
    ring.stuck_since.reset();
    return;
  }
  if (!ring.stuck_since) ring.stuck_since = now_;
  if (now_ - *ring.stuck_since < config_.fail_to_receive) return;
  const auto stuck =
      std::find_if(ring.members.begin(), ring.members.end(), [&](const NodeKey& key) {
        return key.node == *token.aru_id;
      });
  if (stuck == ring.members.end()) return;
  const NodeKey failed = *stuck;
  if (phase_ == RingPhase::recovery) {
    fail_.insert(failed);
    abort_forming("a member receives nothing any more");
  } else {
    enter_gather("a member receives nothing any more", current_members(), {failed});
  }
}

void Ring::deliver_ready() {
  RingState& ring = *current_;
  const std::size_t before = ordered_.size();
  while (true) {
    const Data* const packet = ring.window.find(next(ring.delivered));
    if (packet == nullptr) break;                             // [DLV-1]
    if (packet->safe && packet->seq > ring.safe_line) break;  // [DLV-2]
    ring.delivered = packet->seq;
    if (!packet->recovered) unpacker_.unpack(*packet, false, ordered_);
  }
  counters_.messages_ordered += ordered_.size() - before;
  counters_.fragments_stray = unpacker_.strays();
  const Seq done = std::min(ring.safe_line, ring.delivered);
  if (done <= ring.window.discarded()) return;
  ring.window.discard(done);
  trace(TraceKind::discarded, TraceLevel::trace, done, [] { return "held by all and delivered"; });
}

// --- idle hold -----------------------------------------------------------------------------

void Ring::release_held(bool wake) {
  if (!held_ || phase_ != RingPhase::operational) return;
  Token token = *std::exchange(held_, std::nullopt);
  timers_.disarm(Timer::token_hold);
  timers_.arm(Timer::token_loss, now_ + config_.token_loss);
  if (current_->members.size() == 1) timers_.disarm(Timer::token_loss);
  if (wake) {
    current_->quiet_visits = 0;
    last_visit_.reset();  // the pause is no rotation
  }
  trace(TraceKind::token_released, TraceLevel::trace, token.seq, [&] {
    return wake ? "something to send -> token released" : "held long enough -> token released";
  });
  visit(std::move(token), false);
}

void Ring::wake_ring() {
  if (phase_ != RingPhase::operational || queue_.empty(gate_open())) return;
  if (held_) {
    release_held(true);
    return;
  }
  RingState& ring = *current_;
  if (!ring.idle_hint || ring.members.size() == 1) return;
  if (ring.is_representative()) {
    ring.quiet_visits = 0;  // the token is under way; do not hold it when it comes
    return;
  }
  if (wakeups_sent_ > 0 && timers_.armed(Timer::wakeup)) return;
  // The first goes to who should hold the token; if that did not help, everyone looks whether
  // the token got lost behind it. [ORD-10]
  const BufferRef packet = encode(Wakeup{ring.ring});
  if (wakeups_sent_ < 2) {
    send({ring.members.front().node}, packet, false);
  } else {
    send_to_members(ring, packet);
  }
  ++wakeups_sent_;
  timers_.arm(Timer::wakeup, now_ + wakeup_interval * std::min(wakeups_sent_, 8U));
}

void Ring::on_wakeup(const PacketHeader& header, const Wakeup& wakeup) {
  if (phase_ != RingPhase::operational || wakeup.ring != current_->ring) return;
  if (!current_->is_member(header.sender)) return;
  if (held_) {
    release_held(true);
    return;
  }
  current_->quiet_visits = 0;
  // If we sent the token on and saw no sign of it since, it may be lost: do not wait.
  if (timers_.armed(Timer::token_retransmit) && current_->idle_hint) retransmit_token();
}

}  // namespace ringcast
