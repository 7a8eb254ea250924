// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/peers.hpp"

#include <algorithm>

namespace ringcast {
namespace {

constexpr std::size_t dead_boots_max = 16;
constexpr Duration revival_silence = std::chrono::seconds{2};

}  // namespace

bool PeerTable::hear(const NodeKey& key, Instant now) {
  Peer& peer = peers_[key.node];
  if (peer.boot == key.boot) {
    peer.heard = now;
    return true;
  }
  const auto dead = std::find(peer.dead.begin(), peer.dead.end(), key.boot);
  if (dead != peer.dead.end()) {
    if (now - std::max(peer.heard, peer.at_work) < revival_silence) return false;
    peer.dead.erase(dead);
  }
  if (peer.boot) {
    peer.dead.push_back(*peer.boot);
    if (peer.dead.size() > dead_boots_max) peer.dead.pop_front();
  }
  peer.boot = key.boot;
  peer.heard = now;
  peer.at_work = {};
  peer.counter = 0;
  return true;
}

void PeerTable::note_at_work(const NodeKey& key, Instant now) {
  Peer& peer = peers_[key.node];
  if (peer.boot == key.boot) peer.at_work = now;
}

bool PeerTable::is_dead(const NodeKey& key) const {
  const auto found = peers_.find(key.node);
  if (found == peers_.end()) return false;
  const auto& dead = found->second.dead;
  return std::find(dead.begin(), dead.end(), key.boot) != dead.end();
}

std::optional<BootId> PeerTable::boot_of(NodeId node) const {
  const auto found = peers_.find(node);
  return found == peers_.end() ? std::nullopt : found->second.boot;
}

bool PeerTable::is_fresh(const NodeKey& key, std::uint64_t counter) {
  Peer& peer = peers_[key.node];
  if (peer.boot != key.boot || counter <= peer.counter) return false;
  peer.counter = counter;
  return true;
}

void PeerTable::back_off(const NodeKey& key, Instant now, Duration first, Duration longest) {
  Peer& peer = peers_[key.node];
  // Falling out again soon after the last delay ended doubles it; otherwise start over.
  const bool again = peer.delayed_boot == key.boot && peer.delay > Duration{0} &&
                     now < peer.delayed_until + longest;
  peer.delay = again ? std::min(peer.delay * 2, longest) : first;
  peer.delayed_boot = key.boot;
  peer.delayed_until = now + peer.delay;
}

bool PeerTable::is_backed_off(const NodeKey& key, Instant now) const {
  const auto found = peers_.find(key.node);
  if (found == peers_.end()) return false;
  const Peer& peer = found->second;
  return peer.delayed_boot == key.boot && now < peer.delayed_until;
}

bool PeerTable::may_answer(NodeId node, Instant now, Duration interval) {
  Peer& peer = peers_[node];
  if (peer.ever_answered && now < peer.answered + interval) return false;
  peer.ever_answered = true;
  peer.answered = now;
  return true;
}

void PeerTable::keep_only(const std::set<NodeId>& configured) {
  std::erase_if(peers_, [&](const auto& entry) { return !configured.contains(entry.first); });
}

}  // namespace ringcast
