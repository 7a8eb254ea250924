// SPDX-License-Identifier: Apache-2.0
//
// Oracle: judges a run while it goes on, by what only a simulator can see: every datagram as
// it is sent (wire.hpp), every node's memory between two inputs (memories.hpp) and what its clients
// take of it (sessions.hpp). What can be
// judged by what daemons and clients were told is judged afterwards, by the checkers.
//
// Besides, at the instant of a safe delivery in a regular configuration:
// E19 every member has installed the configuration.
// E20 every member holds the message, or has delivered it.
// (safe.hpp)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/oracle/memories.hpp"
#include "sim/oracle/sessions.hpp"
#include "sim/oracle/wire.hpp"

namespace ringcast::sim {

class Oracle {
 public:
  /// All must outlive the oracle; `history` gives names only.
  Oracle(const Cluster& cluster, const History& history);

  void on_packet(std::size_t host, const BufferRef& datagram);
  void on_started(std::size_t host, BootId boot, Storage storage);
  void on_ended(std::size_t host);
  void on_input(std::size_t host);
  void on_ordered(std::size_t host, const OrderedEvent& event);

  /// What was found so far.
  [[nodiscard]] const Report& report() const { return report_; }

 private:
  struct Watched {
    NodeKey key;
    RingId configuration;  ///< regular, as delivered last
    std::vector<NodeKey> members;
    bool transitional{false};
    std::uint64_t inputs{0};
    SessionBounds sessions;
  };

  [[nodiscard]] bool holds(const NodeKey& run, const RingId& ring, Seq seq) const;

  const Cluster& cluster_;
  const History& history_;
  Report report_;
  std::map<NodeId, std::size_t> host_of_;
  std::vector<Watched> watched_;
  Memories memories_;
  Wire wire_;
};

}  // namespace ringcast::sim
