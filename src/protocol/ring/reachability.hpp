// SPDX-License-Identifier: Apache-2.0
//
// Reachability: who hears whom, as far as joins and probes tell. What we heard ourselves, who
// says that it hears us, and what others say they hear. All of it is true for a while only, so
// every question comes with the time since when it must have been seen. [MBR-15]
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/base/ids.hpp"
#include "protocol/base/time.hpp"

namespace ringcast {

class Reachability {
 public:
  /// A join or probe of that run arrived; `hears_us`: it says that it hears us.
  void heard(const NodeKey& from, bool hears_us, Instant now);
  /// Its join named everyone it hears, and the newest ring it took part in forming.
  void told(const NodeKey& from, std::vector<NodeKey> hears, std::uint64_t ring_seq, Instant now);
  /// Its probe named the daemons it is linked with both ways.
  void told_links(const NodeKey& from, std::vector<NodeId> linked, Instant now);

  [[nodiscard]] bool hears(const NodeKey& key, Instant since) const;
  /// We hear it and it hears us.
  [[nodiscard]] bool is_mutual(const NodeKey& key, Instant since) const;
  /// By their own words each of the two hears the other.
  [[nodiscard]] bool are_mutual(const NodeKey& a, const NodeKey& b, Instant since) const;
  /// By its last probe it is linked with that daemon.
  [[nodiscard]] bool tells_link(const NodeKey& from, NodeId with, Instant since) const;

  /// The newest ring it took part in forming, by its last join; 0: it never told.
  [[nodiscard]] std::uint64_t ring_seq_of(const NodeKey& key) const;

  /// What was heard of it does not count any more.
  void forget(const NodeKey& key);
  /// Forgets daemons that are no longer configured.
  void keep_only(const std::set<NodeId>& configured);

 private:
  struct Peer {
    BootId boot;
    Instant heard{};
    std::optional<Instant> heard_us;
    std::optional<Instant> told;
    std::vector<NodeKey> hears;  ///< ascending
    std::uint64_t ring_seq{0};
    std::optional<Instant> told_links;
    std::vector<NodeId> linked;  ///< ascending
  };

  Peer& peer(const NodeKey& key);
  [[nodiscard]] const Peer* find(const NodeKey& key) const;
  [[nodiscard]] bool tells_of(const NodeKey& from, const NodeKey& whom, Instant since) const;

  std::map<NodeId, Peer> peers_;  ///< the run heard last of each daemon
};

}  // namespace ringcast
