// SPDX-License-Identifier: Apache-2.0
//
// PeerTable: what we remember of each configured daemon beyond the current ring: which run of
// it is alive, which are dead, which of its joins we have seen, how long to leave it alone.
// Bounded by the number of configured daemons.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "protocol/base/ids.hpp"
#include "protocol/base/time.hpp"

namespace ringcast {

class PeerTable {
 public:
  /// A packet came from this run. False: the run is known to be over, drop the packet. Which
  /// of two runs is the newer one shows in time only: a straggler of the old one may be taken
  /// for a restart, so a run that was given up comes back when the other stays silent. [MBR-8]
  bool hear(const NodeKey& key, Instant now);
  /// It was at work in our ring until now, which is as good as heard: members of a ring exchange
  /// no joins or probes.
  void note_at_work(const NodeKey& key, Instant now);
  /// That run ended: another one of the same daemon was heard since.
  [[nodiscard]] bool is_dead(const NodeKey& key) const;
  /// The run last heard of, if any.
  [[nodiscard]] std::optional<BootId> boot_of(NodeId node) const;

  /// True once per counter value, in ascending order: copies and stragglers of joins and
  /// probes are refused. [MBR-9]
  bool is_fresh(const NodeKey& key, std::uint64_t counter);

  /// It fell out of a ring: leave it alone for a while, longer each time. [MBR-12]
  void back_off(const NodeKey& key, Instant now, Duration first, Duration longest);
  [[nodiscard]] bool is_backed_off(const NodeKey& key, Instant now) const;

  /// Limits answers to probes: true at most once per `interval`.
  bool may_answer(NodeId node, Instant now, Duration interval);

  /// Forgets daemons that are no longer configured.
  void keep_only(const std::set<NodeId>& configured);

 private:
  struct Peer {
    std::optional<BootId> boot;
    Instant heard{};
    Instant at_work{};  ///< this run was, until then
    std::deque<BootId> dead;
    std::uint64_t counter{0};
    Duration delay{0};
    std::optional<BootId> delayed_boot;
    Instant delayed_until{};
    Instant answered{};
    bool ever_answered{false};
  };

  std::map<NodeId, Peer> peers_;
};

}  // namespace ringcast
