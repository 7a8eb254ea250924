// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/reachability.hpp"

#include <algorithm>
#include <utility>

namespace ringcast {

Reachability::Peer& Reachability::peer(const NodeKey& key) {
  Peer& peer = peers_[key.node];
  if (peer.boot != key.boot) {
    peer = Peer{};
    peer.boot = key.boot;
  }
  return peer;
}

const Reachability::Peer* Reachability::find(const NodeKey& key) const {
  const auto found = peers_.find(key.node);
  return found != peers_.end() && found->second.boot == key.boot ? &found->second : nullptr;
}

void Reachability::heard(const NodeKey& from, bool hears_us, Instant now) {
  Peer& peer = this->peer(from);
  peer.heard = now;
  if (hears_us) peer.heard_us = now;
}

void Reachability::told(
    const NodeKey& from, std::vector<NodeKey> hears, std::uint64_t ring_seq, Instant now) {
  Peer& peer = this->peer(from);
  peer.ring_seq = ring_seq;
  peer.told = now;
  peer.hears = std::move(hears);
}

void Reachability::told_links(const NodeKey& from, std::vector<NodeId> linked, Instant now) {
  Peer& peer = this->peer(from);
  peer.told_links = now;
  peer.linked = std::move(linked);
}

void Reachability::forget(const NodeKey& key) {
  if (find(key) != nullptr) peers_.erase(key.node);
}

bool Reachability::hears(const NodeKey& key, Instant since) const {
  const Peer* const peer = find(key);
  return peer != nullptr && peer->heard >= since;
}

bool Reachability::is_mutual(const NodeKey& key, Instant since) const {
  const Peer* const peer = find(key);
  return peer != nullptr && peer->heard >= since && peer->heard_us && *peer->heard_us >= since;
}

bool Reachability::tells_of(const NodeKey& from, const NodeKey& whom, Instant since) const {
  const Peer* const peer = find(from);
  return peer != nullptr && peer->told && *peer->told >= since &&
         std::binary_search(peer->hears.begin(), peer->hears.end(), whom);
}

bool Reachability::are_mutual(const NodeKey& a, const NodeKey& b, Instant since) const {
  return tells_of(a, b, since) && tells_of(b, a, since);
}

bool Reachability::tells_link(const NodeKey& from, NodeId with, Instant since) const {
  const Peer* const peer = find(from);
  return peer != nullptr && peer->told_links && *peer->told_links >= since &&
         std::binary_search(peer->linked.begin(), peer->linked.end(), with);
}

std::uint64_t Reachability::ring_seq_of(const NodeKey& key) const {
  const Peer* const peer = find(key);
  return peer == nullptr ? 0 : peer->ring_seq;
}

void Reachability::keep_only(const std::set<NodeId>& configured) {
  std::erase_if(peers_, [&](const auto& entry) { return !configured.contains(entry.first); });
}

}  // namespace ringcast
