// SPDX-License-Identifier: Apache-2.0
//
// Gather: who is alive? Every node tells whom it considers (proc) and whom of those it
// considers failed (fail); sets only grow; when all that remain have told the same sets, the
// one with the smallest id builds a commit token. Tokens of the old ring are ignored from here
// on; its packets are still taken until we told somebody what we have (frozen_).
//
// Source: TOCS95, section 5, with two rules of Agarwal's thesis: an outsider cannot make us
// fail members of our own ring, and a join that fails us fails its sender. Ours: members are
// chosen by who hears whom (clique.hpp) [MBR-15], and who never gets the commit token is failed
// [MBR-16].
#include <algorithm>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/ring/clique.hpp"
#include "protocol/ring/ring.hpp"
#include "protocol/ring/token_rules.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

bool includes(const std::set<NodeKey>& all, const std::vector<NodeKey>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

bool has(const std::vector<NodeKey>& keys, const NodeKey& key) {
  return std::binary_search(keys.begin(), keys.end(), key);
}

bool equal(const std::set<NodeKey>& a, const std::vector<NodeKey>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::string describe(const std::vector<NodeKey>& keys) {
  std::string text;
  for (const auto& key : keys) {
    text += (text.empty() ? "{" : ", ") + to_string(key);
  }
  return text.empty() ? "{}" : text + "}";
}

}  // namespace

std::set<NodeKey> Ring::current_members() const {
  return {current_->members.begin(), current_->members.end()};
}

std::vector<NodeKey> Ring::candidates() const {
  std::vector<NodeKey> members;
  std::set_difference(
      proc_.begin(), proc_.end(), fail_.begin(), fail_.end(), std::back_inserter(members));
  return members;
}

void Ring::enter_gather(std::string_view reason, std::set<NodeKey> proc, std::set<NodeKey> fail) {
  if (phase_ == RingPhase::operational) note_at_work(*current_);
  held_.reset();
  self_token_.reset();
  self_commit_.reset();
  last_visit_.reset();
  fastest_rotation_ = config_.token_loss;
  wakeups_sent_ = 0;
  told_complete_ = false;
  timers_.disarm_all();
  proc_ = std::move(proc);
  fail_ = std::move(fail);
  proc_.insert(self_);
  fail_.erase(self_);
  ++counters_.gathers;
  enter(RingPhase::gather, reason);
  sets_changed();
}

void Ring::sets_changed() {
  for (const auto& key : proc_) {
    if (peers_.is_dead(key)) fail_.insert(key);
  }
  proc_.insert(fail_.begin(), fail_.end());
  if (proc_.size() > join_keys_max) {
    // Cannot happen with a sane set of daemons; start over rather than grow.
    proc_ = current_members();
    proc_.insert(self_);
    fail_.clear();
  }
  consensus_ = {self_};
  waiting_for_commit_ = false;
  timers_.disarm(Timer::token_loss);
  timers_.arm(Timer::consensus, now_ + config_.consensus);
  send_join();
  check_consensus();
}

void Ring::send_join() {
  if (phase_ != RingPhase::gather) return;
  Join join;
  join.ring_seq = ring_seq_;
  join.proc.assign(proc_.begin(), proc_.end());
  join.fail.assign(fail_.begin(), fail_.end());
  for (const auto& key : proc_) {
    if (key == self_) continue;
    if (reach_.hears(key, joined_since())) join.hears.push_back(key);
    if (reach_.is_mutual(key, probed_since())) join.mutual.push_back(key);
  }
  told_complete_ = hears_all(candidates());
  std::vector<NodeId> others;
  for (const auto node : configured_) {
    if (node != self_.node) others.push_back(node);
  }
  send(others, encode(join), true);
  // Jitter keeps many nodes from answering one another in step.
  const auto spread = static_cast<std::uint64_t>((config_.join_interval / 4).count()) + 1;
  const auto jitter = Duration{static_cast<Duration::rep>(random_.below(spread))};
  timers_.arm(Timer::join, now_ + config_.join_interval + jitter);
}

void Ring::on_join(const PacketHeader& header, const Join& join) {
  const NodeKey sender = header.sender;
  if (!hear(sender) || !peers_.is_fresh(sender, header.counter)) return;
  if (!is_plausible(join.ring_seq)) return;
  // [MBR-3] A number beyond the reserve is not used before the reserve covers it; the join
  // comes again.
  if (!reserve(join.ring_seq + 1)) return;
  heard_seq_ = std::max(heard_seq_, join.ring_seq);
  reach_.heard(sender, has(join.hears, self_), now_);
  reach_.told(sender, join.hears, join.ring_seq, now_);
  switch (phase_) {
    case RingPhase::operational:
      on_join_operational(sender, join);
      return;
    case RingPhase::gather:
      on_join_gather(sender, join);
      return;
    case RingPhase::commit:
    case RingPhase::recovery:
      break;
    case RingPhase::starting:
    case RingPhase::stopped:
      return;
  }
  if (!forming_->is_member(sender)) {
    const auto& members = forming_->members;
    const bool restarted = std::any_of(
        members.begin(), members.end(), [&](const NodeKey& m) { return m.node == sender.node; });
    if (!restarted) return;
    proc_.insert(sender);  // [MBR-8]
    abort_forming("a member was restarted");
    on_join_gather(sender, join);
    return;
  }
  if (join.leave) {
    fail_.insert(sender);
    abort_forming("a member left while the ring was formed");
  } else if (join.ring_seq >= forming_->ring.seq) {
    // It took part in this attempt and gave it up; older joins are stragglers.
    abort_forming("a member went back to gather");
    on_join_gather(sender, join);
  } else if (phase_ == RingPhase::commit && !knows_all_of(join)) {
    // Newer than its consent, so it will not take this commit token; waiting is in vain.
    abort_forming("a member knows more than the commit token");
    on_join_gather(sender, join);
  }
}

void Ring::on_join_gather(const NodeKey& sender, const Join& join) {
  if (fail_.contains(sender)) return;
  if (join.leave) {
    proc_.insert(sender);
    fail_.insert(sender);
    sets_changed();
    return;
  }
  const bool is_old_member = current_->is_member(sender);
  if (is_old_member && join.ring_seq < current_->ring.seq) return;
  merge_join(sender, join);
  // [MBR-15] The others wait for this news, so it does not wait for the timer.
  if (phase_ == RingPhase::gather && !told_complete_ && hears_all(candidates())) send_join();
}

/// What joins told is true for so long: about ten of them, a fair loss never takes all.
Instant Ring::joined_since() const { return now_ - config_.consensus / 2; }

bool Ring::hears_all(const std::vector<NodeKey>& members) const {
  return std::all_of(members.begin(), members.end(), [this](const NodeKey& key) {
    return key == self_ || reach_.hears(key, joined_since());
  });
}

/// Those of the candidates who can be a ring with us. [MBR-15]
std::vector<NodeKey> Ring::best_members() const {
  const Instant since = joined_since();
  return best_clique(self_, candidates(), [&](const NodeKey& a, const NodeKey& b) {
    if (a == self_) return reach_.is_mutual(b, since);
    if (b == self_) return reach_.is_mutual(a, since);
    return reach_.are_mutual(a, b, since);
  });
}

/// The ring of who sent the probe, if we hear all of it and it hears us.
std::optional<std::vector<NodeKey>> Ring::reached_members(const Probe& probe) const {
  std::vector<NodeKey> members;
  for (const auto node : probe.members) {
    if (node == self_.node) continue;  // an earlier run of us
    const auto boot = peers_.boot_of(node);
    if (!boot || !reach_.is_mutual(NodeKey{node, *boot}, probed_since())) return std::nullopt;
    members.push_back(NodeKey{node, *boot});
  }
  return members;
}

/// Outsiders that answer while we gather come along as the ring they are, and not when some of
/// us and some of them do not hear each other: waiting for these would be in vain.
void Ring::take_in(const Probe& probe) {
  const auto others = reached_members(probe);
  if (!others) return;
  auto ours = candidates();
  std::erase_if(ours, [this](const NodeKey& key) {  // it may be gone
    return key != self_ && !reach_.hears(key, joined_since());
  });
  if (!are_linked(probe, ours)) return;
  const std::size_t before = proc_.size();
  proc_.insert(others->begin(), others->end());
  if (proc_.size() > before) sets_changed();
}

bool Ring::knows_all_of(const Join& join) const {
  return includes(proc_, join.proc) && includes(fail_, join.fail);
}

// [MBR-5]
void Ring::merge_join(const NodeKey& sender, const Join& join) {
  if (phase_ != RingPhase::gather) return;
  if (equal(proc_, join.proc) && equal(fail_, join.fail)) {
    take_consent(sender, join);
    return;
  }
  // It knows less than we do; our join will tell it.
  if (knows_all_of(join)) return;

  const auto proc_before = proc_;
  const auto fail_before = fail_;
  proc_.insert(sender);
  if (has(join.fail, self_) || rather_loses(sender, join)) {
    fail_.insert(sender);
  } else {
    proc_.insert(join.proc.begin(), join.proc.end());
    const bool is_outsider = !current_->is_member(sender);
    for (const auto& key : join.fail) {
      if (is_outsider && current_->is_member(key) && !peers_.is_dead(key)) continue;  // [MBR-7]
      fail_.insert(key);
    }
  }
  if (proc_ == proc_before && fail_ == fail_before) return;
  sets_changed();
  if (phase_ == RingPhase::gather && equal(proc_, join.proc) && equal(fail_, join.fail)) {
    take_consent(sender, join);
  }
}

// [MBR-15] Consent counts when it comes from one who hears all the others.
void Ring::take_consent(const NodeKey& sender, const Join& join) {
  for (const auto& member : candidates()) {
    if (member != sender && !has(join.hears, member)) return;
  }
  consensus_.insert(sender);
  check_consensus();
}

/// It fails one that we can hear and it cannot: of the two, do we lose the sender? [MBR-15]
bool Ring::rather_loses(const NodeKey& sender, const Join& join) const {
  const Instant since = joined_since();
  const auto is_in_question = [&](const NodeKey& key) {
    if (fail_.contains(key) || !proc_.contains(key) || key == self_) return false;
    return reach_.is_mutual(key, since) && !reach_.are_mutual(key, sender, since);
  };
  if (std::none_of(join.fail.begin(), join.fail.end(), is_in_question)) return false;
  const auto best = best_members();
  return !has(best, sender) &&
         std::any_of(join.fail.begin(), join.fail.end(), [&](const NodeKey& key) {
           return is_in_question(key) && has(best, key);
         });
}

void Ring::on_consensus_timer() {
  if (phase_ != RingPhase::gather || waiting_for_commit_) return;
  // First who is not heard by all the others; when all hear each other, who does not agree.
  const auto members = candidates();
  const auto best = best_members();
  const bool is_whole = best.size() == members.size();
  bool failed_any = false;
  for (const auto& member : members) {
    if (is_whole ? consensus_.contains(member) : has(best, member)) continue;
    fail_.insert(member);
    failed_any = true;
  }
  trace(TraceKind::note, TraceLevel::debug, Seq{}, [&] {
    return "consensus timer -> going on with " + describe(candidates());
  });
  if (failed_any) {
    sets_changed();
  } else {
    timers_.arm(Timer::consensus, now_ + config_.consensus);
    check_consensus();
  }
}

void Ring::check_consensus() {
  if (phase_ != RingPhase::gather) return;
  const auto members = candidates();
  for (const auto& member : members) {
    if (!consensus_.contains(member)) return;
  }
  // [MBR-8] A run that agreed and was replaced since is no member: its successor may be one.
  const auto is_replaced = [this](const NodeKey& member) { return peers_.is_dead(member); };
  if (std::any_of(members.begin(), members.end(), is_replaced)) {
    sets_changed();
    return;
  }
  const bool alone_as_before = members.size() == 1 && current_->members.size() == 1 && !frozen_ &&
                               !numbers_run_out(current_->window, current_->window.high());
  if (alone_as_before) {
    resume_alone();
    return;
  }
  if (members.front() == self_) {
    if (const auto unreached = never_reached(members)) {
      fail_.insert(*unreached);
      sets_changed();
    } else {
      create_commit(members);
    }
    return;
  }
  if (waiting_for_commit_) return;
  trace(TraceKind::note, TraceLevel::debug, Seq{}, [&] {
    return "consensus of " + describe(members) + " -> waiting for the commit token";
  });
  waiting_for_commit_ = true;
  timers_.disarm(Timer::consensus);
  timers_.arm(Timer::token_loss, now_ + config_.token_loss);
}

/// Who never saw a commit token of these members in two attempts, though its joins come and ours
/// reach it: the first of them cannot take it from its predecessor. [MBR-16]
std::optional<NodeKey> Ring::never_reached(const std::vector<NodeKey>& members) const {
  if (attempts_.count < 2 || attempts_.members != members) return std::nullopt;
  for (const auto& member : members) {
    if (member != self_ && reach_.ring_seq_of(member) < attempts_.first_ring_seq) return member;
  }
  return std::nullopt;
}

void Ring::resume_alone() {
  RingState& ring = *current_;
  note_left_out();
  timers_.disarm_all();
  enter(RingPhase::operational, "still alone");
  held_ = resting_token(ring.ring, ring.last_token_seq + 1, ring.window.high());
  timers_.arm(Timer::probe, now_ + news_delay);
}

}  // namespace ringcast
