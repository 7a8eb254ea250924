// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle/wire.hpp"

#include <algorithm>
#include <utility>

#include "protocol/ring/flow_control.hpp"
#include "protocol/ring/token_rules.hpp"
#include "protocol/wire/seal.hpp"
#include "sim/payload.hpp"

namespace ringcast::sim {

namespace {

/// Components of a partition each have rings of their own; older ones only stragglers name.
constexpr std::size_t rings_kept = 32;

/// [FLW-1] What a visit may originate whatever the others sent.
constexpr std::uint64_t never_starves = 4096;

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

std::string number(std::uint64_t value) { return std::to_string(value); }
std::string number(Seq seq) { return std::to_string(seq.value); }

bool is_named(const std::vector<SeqRange>& ranges, Seq seq) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), seq, [](Seq value, const SeqRange& r) {
        return value < r.first;
      });
  if (after == ranges.begin()) return false;
  const SeqRange& range = *std::prev(after);
  return seq.value < range.first.value + range.count;
}

}  // namespace

void Wire::fail(const std::string& invariant, const std::string& what) {
  report_.fail(invariant, history_.name_of(sender_.node) + " " + what);
}

void Wire::started(NodeId node, std::uint64_t stored, Storage storage) {
  std::uint64_t& exposed = exposed_[node];
  if (storage != Storage::kept) exposed = 0;  // what the fault took away nobody can keep
  sender_ = NodeKey{.node = node, .boot = {}};
  if (stored < exposed) {
    fail("P9", "starts with " + number(stored) + " on its disk, it had used " + number(exposed));
  }
}

std::optional<std::uint64_t> Wire::last_token_of(const NodeKey& sender, const RingId& ring) const {
  const auto at = rings_.find(ring);
  if (at == rings_.end() || at->second.is_partial) return std::nullopt;
  const auto found = at->second.senders.find(sender);
  if (found == at->second.senders.end() || !found->second.token) return std::nullopt;
  return found->second.token->token_seq;
}

Wire::Ring& Wire::ring_of(const RingId& ring) {
  const auto [at, fresh] = rings_.try_emplace(ring);
  if (!fresh || rings_.size() <= rings_kept) return at->second;
  // Never the one asked for, though it may be the oldest.
  rings_.erase(at == rings_.begin() ? std::next(at) : rings_.begin());
  return at->second;
}

void Wire::sent(std::uint64_t stored, const BufferRef& datagram) {
  const PacketHeader header = read_header(datagram.bytes());
  sender_ = header.sender;
  if (!is_new(header.sender, header.counter, datagram.bytes())) return;
  const Result<Packet> packet = decode(datagram);
  if (!packet) {
    fail("P1", "sent what cannot be decoded: " + packet.error().message);
    return;
  }
  if (const auto* const data = std::get_if<Data>(&packet->body)) {
    on_number(data->ring.seq, stored);
    on_data(*data, datagram.size());
  } else if (const auto* const token = std::get_if<Token>(&packet->body)) {
    on_number(token->ring.seq, stored);
    on_token(*token, datagram.bytes());
  } else if (const auto* const join = std::get_if<Join>(&packet->body)) {
    on_number(join->ring_seq, stored);
  } else if (const auto* const commit = std::get_if<CommitToken>(&packet->body)) {
    on_number(commit->ring.seq, stored);
  } else if (const auto* const probe = std::get_if<Probe>(&packet->body)) {
    on_number(probe->ring.seq, stored);
  }
}

// P12. A datagram for several peers is sealed once. Counters grow, so that the last one is all
// there is to remember of a run.
bool Wire::is_new(
    const NodeKey& sender, std::uint64_t counter, std::span<const std::byte> datagram) {
  Run& run = runs_[sender];
  const auto tag = datagram.last(tag_bytes);
  if (counter > run.counter) {
    run.counter = counter;
    std::copy(tag.begin(), tag.end(), run.tag.begin());
    return true;
  }
  const bool is_same =
      counter == run.counter && std::equal(tag.begin(), tag.end(), run.tag.begin());
  if (!is_same) fail("P12", "used header counter " + number(counter) + " for two datagrams");
  return false;
}

void Wire::on_number(std::uint64_t value, std::uint64_t stored) {
  std::uint64_t& exposed = exposed_[sender_.node];
  exposed = std::max(exposed, value);
  if (value > stored) {
    fail("P9", "shows ring number " + number(value) + " with " + number(stored) + " on its disk");
  }
}

void Wire::on_data(const Data& data, std::size_t size) {
  Sender& sender = ring_of(data.ring).senders[sender_];
  const std::uint64_t cost = datagram_cost(size);
  sender.packet_cost_max = std::max(sender.packet_cost_max, cost);
  if (data.originator != sender_.node || data.seq <= sender.originated) {
    sender.again_before += cost;
    return;
  }
  sender.originated = data.seq;
  if (data.after_token) {
    sender.visit_new += cost;
  } else {
    sender.new_before += cost;
  }
}

void Wire::on_token(const Token& token, std::span<const std::byte> datagram) {
  Ring& ring = ring_of(token.ring);
  Sender& sender = ring.senders[sender_];
  const std::uint64_t hash = content_hash(
      datagram.subspan(packet_header_bytes, datagram.size() - packet_header_bytes - tag_bytes));
  if (sender.token && token.token_seq <= sender.token->token_seq) {
    check_repeated(sender, token, hash);
    return;
  }
  // The first of a ring is the representative's, on its second visit at the earliest.
  if (!ring.token && token.token_seq > 2) ring.is_partial = true;
  Token in = ring.token.value_or(resting_token(token.ring, 1, Seq{}));
  if (!ring.is_partial) {
    check_order(ring, in, token);
    check_requests(sender, in, token);
    check_last_visit(sender, token.ring);
    check_room(in, token);
  }
  sender.visit_sent_before = sender.visit_new + sender.visit_again;
  sender.visit_new = std::exchange(sender.new_before, 0);
  sender.visit_again = std::exchange(sender.again_before, 0);
  sender.visit_fcc_in = in.fcc;
  const RingMemory* const memory = memories_.find(sender_, token.ring);
  sender.visit_window = memory == nullptr ? 0 : memory->flow_window;
  sender.token = token;
  sender.token_hash = hash;
  ring.token = token;
  ring.token_sender = sender_;
}

void Wire::check_repeated(const Sender& sender, const Token& token, std::uint64_t hash) {
  const std::string what =
      "sent token " + number(token.token_seq) + " of " + history_.show(token.ring);
  if (token.token_seq < sender.token->token_seq) {
    fail("P1", what + " after token " + number(sender.token->token_seq));
  } else if (hash != sender.token_hash) {
    fail("P1", what + " twice, with another content");
  }
}

void Wire::check_order(const Ring& ring, const Token& in, const Token& out) {
  // Made only to complain: this runs for every token there is.
  const auto what = [&] {
    return "sent token " + number(out.token_seq) + " of " + history_.show(out.ring);
  };
  const RingMemory* const memory = memories_.find(sender_, out.ring);
  // Two steps at most: a token that rested here was visited again when it was let go.
  const std::uint64_t step = minus(out.token_seq, in.token_seq);
  const bool may_rest = memory == nullptr || memory->members.front() == sender_;
  if (step == 0 || step > (may_rest ? 2U : 1U)) {
    fail("P1", what() + " after token " + number(in.token_seq) + " was sent");
  }
  if (memory != nullptr && ring.token) {
    const auto& members = memory->members;
    const auto self = std::find(members.begin(), members.end(), sender_);
    const NodeKey& before = self == members.begin() ? members.back() : *std::prev(self);
    if (self == members.end() || before != ring.token_sender) {
      fail("P1", what() + ", which was not sent to it");
    }
  }
  if (out.seq < in.seq) fail("P2", what() + " with seq back to " + number(out.seq));
  if (out.aru > out.seq || (out.aru == out.seq) == out.aru_id.has_value()) {
    fail("P2", what() + " with aru " + number(out.aru) + " of seq " + number(out.seq));
  }
  if (out.aru < in.aru && out.aru_id != sender_.node) {
    fail("P2", what() + " with an aru that it lowered in another's name");
  }
  if (out.aru > in.aru && in.aru_id && *in.aru_id != sender_.node) {
    fail("P2", what() + " with an aru that was not its own to raise");
  }
  // Of a ring it left in the input that sent this, the last look came too early.
  const RunMemory* const run = memories_.run(sender_);
  const bool is_current = run != nullptr && run->works_in(out.ring);
  if (memory != nullptr && is_current && out.aru > memory->aru) {
    fail("P2", what() + " with aru " + number(out.aru) + ", it has " + number(memory->aru));
  }
}

void Wire::check_requests(const Sender& sender, const Token& in, const Token& out) {
  if (out.rtr.empty()) return;
  const RingMemory* const memory = memories_.find(sender_, out.ring);
  if (memory == nullptr) return;
  const Seq bound = sender.token ? sender.token->seq : Seq{};
  Seq after;
  for (const SeqRange& range : out.rtr) {
    const Seq last{range.first.value + range.count - 1};
    if (range.count == 0 || range.first <= after) fail("P5", "asks in disorder");
    after = last;
    if (last > out.seq) {
      fail("P5", "asks for " + number(last) + " of " + number(out.seq) + " packets");
    }
    if (range.first <= memory->safe_line) {
      fail(
          "P5", "asks for " + number(range.first) + " with safe line " + number(memory->safe_line));
    }
    check_range(range, in, bound);
  }
}

void Wire::check_range(const SeqRange& range, const Token& in, Seq bound) {
  for (std::uint64_t s = range.first.value; s < range.first.value + range.count; ++s) {
    if (is_named(in.rtr, Seq{s})) continue;  // somebody else's
    const bool is_held = holds_(sender_, in.ring, Seq{s});
    if (s <= bound.value && !is_held) continue;
    fail(
        "P5",
        "asks for " + number(s) + (is_held ? ", which it holds," : "") + " with " + number(bound) +
            " on its last token");
    return;
  }
}

// P6. Its packets after the token have left by now.
void Wire::check_last_visit(const Sender& sender, const RingId& ring) {
  if (!sender.token) return;
  const std::uint64_t total = sender.visit_new + sender.visit_again;
  const std::uint64_t expected = minus(sender.visit_fcc_in, sender.visit_sent_before) + total;
  if (sender.token->fcc != expected) {
    fail(
        "P6",
        "counted " + number(sender.token->fcc) + " on token " + number(sender.token->token_seq) +
            " of " + history_.show(ring) + " where " + number(expected) + " was sent");
  }
  if (sender.visit_window == 0) return;
  const std::uint64_t others = minus(sender.visit_fcc_in, sender.visit_sent_before);
  const std::uint64_t share =
      std::max(minus(sender.visit_window, others), std::min(never_starves, sender.visit_window));
  if (sender.visit_new > share + sender.packet_cost_max) {
    fail(
        "P6",
        "originated " + number(sender.visit_new) + " in a visit to " + history_.show(ring) +
            " where " + number(share) + " was left of the window");
  }
}

void Wire::check_room(const Token& in, const Token& out) {
  const RingMemory* const memory = memories_.find(sender_, out.ring);
  if (memory == nullptr || out.seq == in.seq) return;
  // In recovery nothing is safe before all have it, and all that is safe is discarded.
  const Seq low = memory->installed ? memory->safe_line : memory->discarded;
  if (out.seq.value - std::min(low, out.seq).value > memory->window_packets / 2) {
    fail(
        "P6",
        "originated up to " + number(out.seq) + " of " + history_.show(out.ring) +
            " with a safe line of " + number(low));
  }
}

}  // namespace ringcast::sim
