// SPDX-License-Identifier: Apache-2.0
//
// Commit: the commit token goes round the coming ring twice. The first time every member
// writes down what it brings from its old ring, the second time everyone reads it and shifts
// to recovery; when the representative sees it a third time, it starts the regular token.
// Tokens and packets of any ring are ignored meanwhile, except packets of recovery.
#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/ring/ring.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

std::size_t index_in(const CommitToken& commit, const NodeKey& key) {
  std::size_t i = 0;
  while (i < commit.members.size() && commit.members[i].member != key) {
    ++i;
  }
  return i;
}

bool filled_up_to(const CommitToken& commit, std::size_t end) {
  for (std::size_t i = 0; i < commit.members.size(); ++i) {
    if (commit.members[i].filled != (i < end)) return false;
  }
  return true;
}

std::vector<NodeKey> keys_of(const CommitToken& commit) {
  std::vector<NodeKey> keys;
  for (const auto& entry : commit.members) {
    keys.push_back(entry.member);
  }
  return keys;
}

}  // namespace

void Ring::create_commit(const std::vector<NodeKey>& members) {
  const std::uint64_t seq = std::max(heard_seq_, ring_seq_) + 1;
  if (!reserve(seq)) return;  // on_persisted comes back here
  CommitToken commit;
  commit.ring = RingId{seq, self_.node, self_.boot};
  for (const auto& member : members) {
    CommitEntry entry;
    entry.member = member;
    commit.members.push_back(entry);
  }
  if (attempts_.members != members) attempts_ = {.members = members, .first_ring_seq = seq};
  ++attempts_.count;
  ring_seq_ = seq;
  timers_.disarm_all();
  forming_.emplace(commit.ring, members, self_, config_);
  frozen_ = true;
  fill_entry(commit);
  enter(RingPhase::commit, "consensus of " + std::to_string(members.size()) + ", we are first");
  forward_commit(commit);
}

void Ring::on_commit(const PacketHeader& header, CommitToken commit) {
  const std::size_t mine = index_in(commit, self_);
  const std::size_t size = commit.members.size();
  if (mine == size) return;
  if (header.sender != commit.members[(mine + size - 1) % size].member) return;  // [MBR-13]
  switch (phase_) {
    case RingPhase::gather:
      commit_first_visit(commit);
      return;
    case RingPhase::commit:
      commit_second_visit(commit);
      return;
    case RingPhase::recovery: {
      const bool third_time = forming_->is_representative() && commit.ring == forming_->ring &&
                              commit.hop > commit_.hop && !token_started_;
      if (third_time) start_token();
      return;
    }
    case RingPhase::operational:  // of an attempt we are not part of, or a straggler
    case RingPhase::starting:
    case RingPhase::stopped:
      return;
  }
}

void Ring::commit_first_visit(CommitToken& commit) {
  const std::size_t mine = index_in(commit, self_);
  if (mine == 0 || !filled_up_to(commit, mine)) return;
  if (!is_plausible(commit.ring.seq)) return;
  // [MBR-13] Exactly those who consent, under a number above all that we took part in.
  if (commit.ring.seq <= ring_seq_ || keys_of(commit) != candidates()) return;
  if (!reserve(commit.ring.seq)) return;  // its sender repeats it
  ring_seq_ = commit.ring.seq;
  timers_.disarm_all();
  forming_.emplace(commit.ring, keys_of(commit), self_, config_);
  frozen_ = true;
  fill_entry(commit);
  enter(RingPhase::commit, "commit token of ring " + to_string(commit.ring));
  forward_commit(commit);
}

void Ring::commit_second_visit(CommitToken& commit) {
  if (commit.ring != forming_->ring || commit.hop <= commit_.hop) return;
  if (!filled_up_to(commit, commit.members.size())) return;
  if (keys_of(commit) != forming_->members) return;
  const std::size_t mine = index_in(commit, self_);
  if (commit.members[mine] != commit_.members[mine]) return;  // not what we wrote
  enter_recovery(commit);
  forward_commit(commit);
}

void Ring::fill_entry(CommitToken& commit) const {
  CommitEntry& entry = commit.members[index_in(commit, self_)];
  const RingState& old = *current_;
  entry.filled = true;
  entry.old_ring = old.ring;
  entry.old_aru = old.window.aru();
  entry.high_delivered = std::max({old.delivered, old.safe_line, known_delivered_});
  entry.received_ring = received_ring_;
  for (std::size_t i = 0; i < old.members.size(); ++i) {
    entry.obligation[i] = obligation_.contains(old.members[i].node);
  }
  entry.datagram_bytes = own_datagram_bytes();
  entry.window_bytes = path_receive_bytes_ / 3;
  entry.window_packets = config_.window_packets_max;
}

void Ring::forward_commit(CommitToken& commit) {
  commit_ =
      commit;  // with the hop it came with: a copy of it is old, on a ring of one our own is not
  ++commit.hop;
  timers_.arm(Timer::token_loss, now_ + config_.token_loss);
  trace(TraceKind::recovery_step, TraceLevel::debug, Seq{}, [&] {
    return "commit token hop " + std::to_string(commit.hop) + " -> passed on";
  });
  send_commit(commit);
}

void Ring::abort_forming(std::string_view reason) {
  if (phase_ == RingPhase::recovery) ++counters_.recoveries_aborted;
  note_at_work(*forming_);
  forming_.reset();
  recovery_queue_.clear();
  recovered_seen_.clear();
  my_flag_ = false;
  token_started_ = false;
  enter_gather(reason, proc_, fail_);
}

}  // namespace ringcast
