// SPDX-License-Identifier: Apache-2.0
//
// Other rings: how rings find one another. An operational ring probes the daemons outside, and
// leaves for a new one when it is worth it. [MBR-6] [MBR-11]
#include <algorithm>
#include <utility>

#include "protocol/ring/ring.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

constexpr Duration probe_answer_interval = std::chrono::milliseconds{10};

}  // namespace

void Ring::send_probes() {
  if (phase_ != RingPhase::operational) return;
  for (const auto node : configured_) {
    if (current_->has_node(node)) continue;
    const auto boot = peers_.boot_of(node);
    if (boot && peers_.is_backed_off(NodeKey{node, *boot}, now_)) continue;
    send({node}, encode(probe_for(node)), false);
  }
  const Duration interval = probe_pause();
  const auto jitter = Duration{static_cast<Duration::rep>(
      random_.below(static_cast<std::uint64_t>((interval / 8).count()) + 1))};
  timers_.arm(Timer::probe, now_ + interval + jitter);
  wake_for_merge();
}

/// [MBR-11] Fewer looks at many missing daemons, so that an idle ring stays quiet.
Duration Ring::probe_pause() const {
  const auto missing = static_cast<std::size_t>(
      std::count_if(configured_.begin(), configured_.end(), [this](NodeId node) {
        return !current_->has_node(node);
      }));
  return config_.probe_interval * std::max<std::size_t>(1, missing / 2);
}

/// What a probe told is true for so long: until three in a row of the longest interval are missing.
Instant Ring::probed_since() const {
  const std::size_t missing = std::max<std::size_t>(1, configured_.size() / 2);
  return now_ - config_.probe_interval * (3 * missing);
}

Probe Ring::probe_for(NodeId node) const {
  const Instant since = probed_since();
  Probe probe{.ring = ring(), .echo = std::nullopt};
  for (const auto& member : current_->members) {
    probe.members.push_back(member.node);
  }
  for (const auto peer : configured_) {
    const auto boot = peers_.boot_of(peer);
    if (!boot || peer == self_.node) continue;
    // An echo says "I hear you", so it must be true now, not once.
    if (peer == node && reach_.hears(NodeKey{peer, *boot}, since)) probe.echo = boot;
    if (reach_.is_mutual(NodeKey{peer, *boot}, since)) probe.mutual.push_back(peer);
  }
  return probe;
}

void Ring::answer_probe(const NodeKey& sender) {
  if (!peers_.may_answer(sender.node, now_, probe_answer_interval)) return;
  send({sender.node}, encode(probe_for(sender.node)), false);
}

void Ring::on_probe(const PacketHeader& header, const Probe& probe) {
  const NodeKey sender = header.sender;
  if (!hear(sender) || !peers_.is_fresh(sender, header.counter)) return;
  const bool hears_us = probe.echo == self_.boot;
  const bool is_news = hears_us && !reach_.is_mutual(sender, probed_since());
  reach_.heard(sender, hears_us, now_);
  reach_.told_links(sender, probe.mutual, now_);
  if (is_news) linked_since_.erase(sender);  // it was out of reach since
  if (phase_ == RingPhase::operational) {
    // A way has opened: all should know soon whom we reach by now.
    if (is_news) timers_.arm(Timer::probe, now_ + news_delay);
    on_probe_operational(sender, probe, hears_us);
  } else if (phase_ == RingPhase::gather && !fail_.contains(sender)) {
    if (hears_us) {
      take_in(probe);
    } else {
      answer_probe(sender);
    }
  }
}

void Ring::on_probe_operational(const NodeKey& sender, const Probe& probe, bool hears_us) {
  const bool was_member = current_->is_member(sender);
  if (was_member && probe.ring.seq <= current_->ring.seq) return;
  if (peers_.is_backed_off(sender, now_)) return;
  if (!hears_us) {
    // [MBR-11] A working ring is disturbed only for who can both hear us and be heard.
    answer_probe(sender);
    return;
  }
  if (!was_member && !is_worth_merging(sender, probe)) return;
  trace(TraceKind::merge_detected, TraceLevel::info, Seq{}, [&] {
    return "heard " + to_string(sender) + " of ring " + to_string(probe.ring) + " -> gather";
  });
  auto proc = current_members();
  proc.insert(sender);
  if (const auto others = reached_members(probe)) proc.insert(others->begin(), others->end());
  enter_gather("another ring is in reach", std::move(proc), {});
}

// [MBR-11] Of two rings the larger decides, and only for a daemon that all of it hear and that
// hears all of it: then some ring grows beyond both, and nothing flaps when some links are cut.
// After a cut the ways open one after the other, and a ring formed halfway would be without those
// that wait for the last: so it waits for the rest of the other ring. A way that stays closed is
// not waited for for ever.
bool Ring::is_worth_merging(const NodeKey& sender, const Probe& probe) {
  if (probe.members.size() > current_->members.size()) {
    linked_since_.erase(sender);
    // The others can know only from us that we hear them all.
    if (reached_members(probe)) answer_probe(sender);
    return false;
  }
  if (!hears_all_of_us(sender, probe)) {
    linked_since_.erase(sender);
    return false;
  }
  if (are_linked(probe, current_->members)) return true;
  std::erase_if(linked_since_, [&sender](const auto& entry) {
    return entry.first.node == sender.node && entry.first != sender;
  });
  const Instant since = linked_since_.try_emplace(sender, now_).first->second;
  if (now_ - since >= merge_patience()) return true;
  wake_for_merge();
  return false;
}

Duration Ring::merge_patience() const { return ways_open + std::min(probe_pause(), ways_open); }

/// Probes are sent, and answered, when the patience with somebody ends.
void Ring::wake_for_merge() {
  for (const auto& [key, since] : linked_since_) {
    const Instant due = since + merge_patience();
    const auto planned = timers_.deadline(Timer::probe);
    if (due > now_ && planned && due < *planned) timers_.arm(Timer::probe, due);
  }
}

bool Ring::hears_all_of_us(const NodeKey& sender, const Probe& probe) {
  const auto& ours = current_->members;
  const auto apart = std::find_if(ours.begin(), ours.end(), [&](const NodeKey& member) {
    // An earlier run of the sender is no member to care for.
    return member != self_ && member.node != sender.node &&
           !std::binary_search(probe.mutual.begin(), probe.mutual.end(), member.node);
  });
  if (apart == ours.end()) {
    left_outside_.erase(sender.node);
    return true;
  }
  if (!left_outside_.insert(sender.node).second) return false;
  trace(TraceKind::note, TraceLevel::info, Seq{}, [&] {
    return to_string(sender) + " and " + to_string(*apart) +
           " do not hear each other yet -> it stays outside";
  });
  return false;
}

/// Every member of the ring that sent the probe is linked with all of `ours`, as far as it told,
/// or as we found ourselves. Some count for nothing: the earlier of two runs of a daemon, who is
/// backed off, whom we do not know.
bool Ring::are_linked(const Probe& probe, const std::vector<NodeKey>& ours) const {
  const Instant since = probed_since();
  const auto is_theirs = [&probe](NodeId node) {
    return std::binary_search(probe.members.begin(), probe.members.end(), node);
  };
  const auto is_configured = [this](NodeId node) {
    return std::find(configured_.begin(), configured_.end(), node) != configured_.end();
  };
  return std::all_of(probe.members.begin(), probe.members.end(), [&](NodeId node) {
    if (current_->has_node(node) || !is_configured(node)) return true;
    const auto boot = peers_.boot_of(node);
    if (!boot) return false;
    const NodeKey other{node, *boot};
    if (peers_.is_backed_off(other, now_)) return true;
    return std::all_of(ours.begin(), ours.end(), [&](const NodeKey& member) {
      if (is_theirs(member.node)) return true;
      return member == self_ ? reach_.is_mutual(other, since)
                             : reach_.tells_link(other, member.node, since);
    });
  });
}

/// Would we follow that outsider? Either it is linked with all of our ring, or we alone leave our
/// ring for one that is not smaller and all of whose members we hear and are heard by. [MBR-6]
bool Ring::may_follow(const NodeKey& sender, const Join& join) const {
  const auto is_linked = [&join](const NodeKey& key) {
    return std::binary_search(join.mutual.begin(), join.mutual.end(), key);
  };
  if (!is_linked(self_)) return false;
  const auto& ours = current_->members;
  if (std::all_of(ours.begin(), ours.end(), [&](const NodeKey& member) {
        return member.node == sender.node || is_linked(member);
      })) {
    return true;
  }
  std::size_t theirs = 0;
  for (const auto& key : join.proc) {
    if (current_->is_member(key) || std::binary_search(join.fail.begin(), join.fail.end(), key)) {
      continue;
    }
    if (!reach_.is_mutual(key, probed_since())) return false;
    ++theirs;
  }
  return theirs >= ours.size();
}

void Ring::on_join_operational(const NodeKey& sender, const Join& join) {
  const bool is_member = current_->is_member(sender);
  if (join.leave) {
    if (is_member) enter_gather("a member leaves", current_members(), {sender});
    return;
  }
  // [MBR-6] Who considers us failed will find out on its own; following it would loop.
  if (std::binary_search(join.fail.begin(), join.fail.end(), self_)) return;
  if (is_member) {
    if (join.ring_seq < current_->ring.seq) return;  // sent before this ring was formed
    enter_gather("a member gathers", current_members(), {});
  } else {
    if (peers_.is_backed_off(sender, now_)) return;
    if (!may_follow(sender, join)) {
      answer_probe(sender);
      return;
    }
    auto proc = current_members();
    proc.insert(sender);
    enter_gather("an outsider wants to join", std::move(proc), {});
  }
  merge_join(sender, join);
}

}  // namespace ringcast
