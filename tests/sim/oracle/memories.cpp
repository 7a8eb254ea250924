// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle/memories.hpp"

#include <algorithm>
#include <array>

namespace ringcast::sim {

namespace {

/// A run may stand still while the others form rings; more than these it need not remember.
constexpr std::size_t rings_kept = 8;

constexpr unsigned bit(Timer timer) { return 1U << static_cast<unsigned>(timer); }

/// P7: what may be armed between two inputs, by state. `always` is armed whatever the node does;
/// the rest of `may` depends on it. Source: docs/protocol.md, the states and Timers.
struct TimerRule {
  RingPhase phase;
  unsigned always;
  unsigned may;
};
constexpr std::array timer_rules = {
    TimerRule{.phase = RingPhase::starting, .always = 0, .may = 0},
    TimerRule{
        .phase = RingPhase::operational,
        .always = bit(Timer::probe),
        .may = bit(Timer::probe) | bit(Timer::token_loss) | bit(Timer::token_hold) |
               bit(Timer::token_retransmit) | bit(Timer::wakeup)},
    TimerRule{
        .phase = RingPhase::gather,
        .always = bit(Timer::join),
        .may = bit(Timer::join) | bit(Timer::consensus) | bit(Timer::token_loss)},
    TimerRule{
        .phase = RingPhase::commit,
        .always = bit(Timer::token_loss) | bit(Timer::token_retransmit),
        .may = bit(Timer::token_loss) | bit(Timer::token_retransmit)},
    TimerRule{
        .phase = RingPhase::recovery,
        .always = bit(Timer::token_loss),
        .may = bit(Timer::token_loss) | bit(Timer::token_retransmit)},
    TimerRule{.phase = RingPhase::stopped, .always = 0, .may = 0},
};

std::string_view name_of(Timer timer) {
  switch (timer) {
    case Timer::token_loss:
      return "token loss";
    case Timer::token_retransmit:
      return "token retransmit";
    case Timer::token_hold:
      return "hold";
    case Timer::wakeup:
      return "wakeup";
    case Timer::join:
      return "join";
    case Timer::consensus:
      return "consensus";
    case Timer::probe:
      return "probe";
  }
  return "unknown";
}

std::string number(std::uint64_t value) { return std::to_string(value); }
std::string number(Seq seq) { return std::to_string(seq.value); }

}  // namespace

const RingMemory* RunMemory::find(const RingId& ring) const {
  for (auto at = rings.rbegin(); at != rings.rend(); ++at) {
    if (at->ring == ring) return &*at;
  }
  return nullptr;
}

const RunMemory* Memories::run(const NodeKey& key) const {
  const auto at = runs_.find(key);
  return at == runs_.end() ? nullptr : &at->second;
}

const RingMemory* Memories::find(const NodeKey& key, const RingId& ring) const {
  const RunMemory* const known = run(key);
  return known == nullptr ? nullptr : known->find(ring);
}

void Memories::delivered(const NodeKey& key, const RingId& ring, Seq seq) {
  const auto run = runs_.find(key);
  if (run == runs_.end()) return;
  for (RingMemory& known : run->second.rings) {
    if (known.ring == ring) known.told = std::max(known.told, seq);
  }
}

void Memories::fail(const std::string& invariant, const std::string& what) {
  report_.fail(invariant, history_.name_of(self_.node) + " " + what);
}

void Memories::look(const Inspection& now) {
  if (now.self.boot.value == 0) return;  // its start is still to come
  self_ = now.self;
  RunMemory& run = runs_[now.self];
  check_tokens(now, run);
  check_timers(now);
  check_buffers(now);
  run.current = now.current ? now.current->ring : RingId{};
  run.forming = now.forming ? now.forming->ring : RingId{};
  for (const auto* ring : {&now.current, &now.forming}) {
    if (!*ring) continue;
    RingMemory& known = remember(run, **ring);
    if (ring == &now.current) known.installed = true;
  }
  check_obligation(now, run);
  check_attempt(now, run);
  run.phase = now.phase;
  run.tokens_accepted = now.tokens_accepted;
  run.holds_token = now.holds_token;
}

void Memories::check_token_left(const Inspection& now, std::optional<std::uint64_t> sent) {
  const RunMemory* const before = run(now.self);
  if (before == nullptr || before->phase != RingPhase::operational || before->holds_token) return;
  if (!now.current || now.current->ring != before->current || before->phase != now.phase) return;
  const RingMemory& ring = *before->find(before->current);
  // What it accepted up to the input before this one must have left by now.
  if (ring.members.size() == 1 || !sent || *sent > ring.last_token_seq) return;
  self_ = now.self;
  fail("C3", "kept token " + number(ring.last_token_seq) + " of " + history_.show(ring.ring));
}

void Memories::ended(const NodeKey& key) {
  const auto at = runs_.find(key);
  if (at != runs_.end()) at->second.ended = true;
}

RingMemory& Memories::remember(RunMemory& run, const RingInspection& ring) {
  auto at = std::find_if(run.rings.begin(), run.rings.end(), [&](const RingMemory& known) {
    return known.ring == ring.ring;
  });
  if (at == run.rings.end()) {
    if (run.rings.size() >= rings_kept) run.rings.erase(run.rings.begin());
    run.rings.emplace_back();
    at = std::prev(run.rings.end());
    at->ring = ring.ring;
    at->members.assign(ring.members.begin(), ring.members.end());
  }
  check_ring(ring, *at);
  const bool is_safer = ring.safe_line > at->safe_line;
  at->aru = ring.aru;
  at->high = ring.high;
  at->discarded = ring.discarded;
  at->delivered = ring.delivered;
  at->safe_line = ring.safe_line;
  at->last_token_seq = ring.last_token_seq;
  at->flow_window = ring.flow_window;
  at->window_packets = ring.window_packets;
  if (is_safer) check_safe_line(ring);
  return *at;
}

void Memories::check_ring(const RingInspection& now, const RingMemory& before) {
  const auto in = [&] { return " in " + history_.show(now.ring); };
  if (now.last_token_seq < before.last_token_seq) {
    fail("P1", "went back to token " + number(now.last_token_seq) + in());
  }
  if (now.aru < before.aru || now.safe_line < before.safe_line ||
      now.delivered < before.delivered || now.discarded < before.discarded) {
    fail(
        "P2",
        "went back from aru " + number(before.aru) + ", safe line " + number(before.safe_line) +
            ", delivered " + number(before.delivered) + " to " + number(now.aru) + ", " +
            number(now.safe_line) + ", " + number(now.delivered) + in());
  }
  if (now.safe_line > now.aru) {
    fail("P3", "has a safe line of " + number(now.safe_line) + " above its own aru" + in());
  }
  if (now.discarded > now.safe_line || now.discarded > now.delivered) {
    fail(
        "P4",
        "discarded up to " + number(now.discarded) + " with safe line " + number(now.safe_line) +
            " and delivered " + number(now.delivered) + in());
  }
  if (now.delivered > now.aru) {
    fail("P4", "delivered " + number(now.delivered) + " over a gap" + in());
  }
  if (now.window_ring != now.ring) {
    fail("P8", "keeps packets of " + history_.show(now.window_ring) + in());
  }
  if (now.high.value - now.discarded.value > now.window_packets) {
    fail("P8", "keeps packets up to " + number(now.high) + ", beyond its window" + in());
  }
}

void Memories::check_safe_line(const RingInspection& now) {
  for (const NodeKey& member : now.members) {
    const RunMemory* const their_run = run(member);
    if (their_run == nullptr || !their_run->works_in(now.ring)) continue;
    const RingMemory* const theirs = their_run->find(now.ring);
    if (theirs->aru >= now.safe_line) continue;
    fail(
        "P3",
        "has a safe line of " + number(now.safe_line) + " in " + history_.show(now.ring) +
            ", where " + history_.name_of(member.node) + " received up to " + number(theirs->aru));
  }
}

void Memories::check_tokens(const Inspection& now, const RunMemory& before) {
  if (now.owes_itself) fail("P1", "left a token to itself lying about");
  const std::uint64_t accepted = now.tokens_accepted - before.tokens_accepted;
  if (accepted == 0) return;
  std::uint64_t progress = 0;
  for (const auto* ring : {&now.current, &now.forming}) {
    if (!*ring) continue;
    const RingMemory* const known = before.find((*ring)->ring);
    progress += (*ring)->last_token_seq - (known == nullptr ? 0 : known->last_token_seq);
  }
  // Of a ring that was given up in this very input nothing is left to see.
  const auto is_here = [&](const RingId& ring) {
    return ring.seq == 0 || (now.current && now.current->ring == ring) ||
           (now.forming && now.forming->ring == ring);
  };
  if (!is_here(before.current) || !is_here(before.forming)) return;
  if (accepted > progress) {
    fail("P1", "accepted " + number(accepted) + " tokens and moved on by " + number(progress));
  }
}

void Memories::check_timers(const Inspection& now) {
  unsigned armed = 0;
  for (std::size_t i = 0; i < timer_count; ++i) {
    if (now.due_in[i]) armed |= 1U << i;
  }
  const auto rule = std::find_if(timer_rules.begin(), timer_rules.end(), [&](const TimerRule& r) {
    return r.phase == now.phase;
  });
  unsigned always = rule->always;
  unsigned may = rule->may;
  if (now.phase == RingPhase::operational) {
    // The token rests here, or has to come back; alone it always rests, and for no time.
    const bool is_alone = now.current->members.size() == 1;
    if (is_alone) may = bit(Timer::probe);
    if (now.holds_token) may &= ~bit(Timer::token_loss);
    if (!now.holds_token) may &= ~bit(Timer::token_hold);
    if (!is_alone) always |= now.holds_token ? bit(Timer::token_hold) : bit(Timer::token_loss);
    if (is_alone && !now.holds_token) fail("P7", "is alone and has lost its token");
  }
  if (now.phase == RingPhase::gather) {
    // It waits for consensus or, that reached, for the commit token.
    const bool waits = (armed & bit(Timer::consensus)) != 0;
    may &= ~(waits ? bit(Timer::token_loss) : bit(Timer::consensus));
    always |= waits ? bit(Timer::consensus) : bit(Timer::token_loss);
  }
  const unsigned wrong = (armed & ~may) | (always & ~armed);
  for (std::size_t i = 0; wrong != 0 && i < timer_count; ++i) {
    if ((wrong >> i & 1U) == 0) continue;
    const bool is_armed = (armed >> i & 1U) != 0;
    fail(
        "P7",
        "is in " + std::string(to_string(now.phase)) + (is_armed ? " with" : " without") +
            " its timer for " + std::string(name_of(static_cast<Timer>(i))));
  }
  // Several joins must come within the time after which the silent are failed.
  const auto& join = now.due_in[static_cast<std::size_t>(Timer::join)];
  if (join && *join > bounds_.join_pause_max) {
    fail("P7", "waits " + number(static_cast<std::uint64_t>(join->count())) + " ns to join again");
  }
}

void Memories::check_buffers(const Inspection& now) {
  if (now.phase == RingPhase::stopped) return;  // all of it goes with the process
  const bool is_forming = now.phase == RingPhase::commit || now.phase == RingPhase::recovery;
  const auto state = [&] { return " in " + std::string(to_string(now.phase)); };
  if (now.forming.has_value() != is_forming) fail("P8", "has a wrong number of rings" + state());
  if (now.phase != RingPhase::recovery && (now.recovery_queue > 0 || now.recovered_seen > 0)) {
    fail("P8", "keeps what belongs to recovery" + state());
  }
  if (now.holds_token && now.phase != RingPhase::operational) fail("P8", "holds a token" + state());
  const bool keeps_promises = now.frozen || now.obligation > 0 || now.received_ring.seq != 0;
  if (now.phase == RingPhase::operational) {
    if (keeps_promises) fail("P8", "keeps promises of a ring it has left" + state());
    if (now.holds_token && now.ready_bytes > 0) {
      fail("C3", "lets the token rest with " + number(now.ready_bytes) + " bytes to send");
    }
  }
  if (!now.current) return;
  const std::size_t members = now.current->members.size();
  const std::uint64_t bytes_max = members * bounds_.message_bytes_max;
  if (now.partial_messages > members || now.partial_bytes > bytes_max) {
    fail("P8", "keeps " + number(now.partial_messages) + " unfinished messages" + state());
  }
  const std::size_t seen_max = std::size_t{2} * now.current->window_packets;
  if (now.recovery_queue > now.current->window_packets || now.recovered_seen > seen_max) {
    fail("P8", "offers more packets than a window holds" + state());
  }
}

void Memories::check_obligation(const Inspection& now, RunMemory& run) {
  if (!now.current) return;
  if (run.obliged_in == now.current->ring && now.obligation < run.obligation) {
    fail(
        "E29",
        "owes " + number(now.obligation) + " members of " + history_.show(now.current->ring) +
            " what is behind a gap, and owed " + number(run.obligation));
  }
  run.obliged_in = now.current->ring;
  run.obligation = now.obligation;
}

void Memories::check_attempt(const Inspection& now, RunMemory& run) {
  if (now.transitional == nullptr || !now.current || !now.forming) return;
  if (run.attempt == now.forming->ring) return;
  const std::set<NodeKey>& coming = *now.transitional;
  const bool is_again = run.attempt_from == now.current->ring;
  const auto& before = run.attempt_members;
  if (is_again && !std::includes(before.begin(), before.end(), coming.begin(), coming.end())) {
    fail(
        "E29",
        "tries " + history_.show(now.forming->ring) + " with " + number(coming.size()) +
            " members of " + history_.show(now.current->ring) +
            ", some of them not in the attempt before");
  }
  run.attempt = now.forming->ring;
  run.attempt_from = now.current->ring;
  run.attempt_members.assign(coming.begin(), coming.end());
}

}  // namespace ringcast::sim
