// SPDX-License-Identifier: Apache-2.0
//
// Evidence: that what a campaign is to test did happen. Each line of the table is a count that
// must not be 0 over a campaign of all plans; who runs one asks evidence_table() what to look
// for in the counts of its runs. The collector here watches one run.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ordered.hpp"
#include "protocol/base/trace.hpp"
#include "sim/cluster.hpp"
#include "sim/history.hpp"

namespace ringcast::sim {

struct EvidenceLine {
  std::string name;     ///< in RunResult::counts
  std::string meaning;  ///< what happened
  std::string seen;     ///< and how that is known
};

const std::vector<EvidenceLine>& evidence_table();

class Evidence {
 public:
  explicit Evidence(const Cluster& cluster);

  void on_trace(std::size_t index, const TraceEvent& event);
  void on_ordered(std::size_t index, const OrderedEvent& event);
  void on_packet(std::size_t index, std::span<const std::byte> packet);
  void on_injection(std::string_view what);
  void count(const std::string& name) { ++counts_[name]; }
  /// Of tokens received it needs to hear now.
  [[nodiscard]] bool wants_tokens() const { return in_recovery_ > 0; }
  [[nodiscard]] bool is_in_recovery(std::size_t host) const;
  /// Of the token, since this recovery began there.
  [[nodiscard]] unsigned recovery_visits(std::size_t host) const;
  void add_to(std::map<std::string, std::uint64_t>& counts, const History& history) const;

 private:
  enum class Phase : std::uint8_t { starting, operational, gather, commit, recovery, stopped };
  static constexpr std::size_t phases = 6;
  static constexpr std::size_t packet_types = 7;

  struct Host {
    Phase phase{Phase::starting};
    RingId ring;  ///< forming, or installed
    RingId installed;
    unsigned recovery_visits{0};
    unsigned aborted{0};  ///< recoveries since the last install
    bool is_exchanging{false};
    std::optional<Instant> paused;
    bool was_paused_long{false};
    std::size_t transitional_members{0};
    bool is_busy{false};            ///< data came since the last gather
    std::uint64_t last_token{0};    ///< number of the newest token taken
    std::optional<Instant> resent;  ///< it sent its token again, and no token of its came since
  };

  void on_token(Host& host, NodeId sender, std::span<const std::byte> packet);
  void on_state(Host& host, const TraceEvent& event);
  void on_originated(const Host& host, const TraceEvent& event);
  void on_recovery_step(const TraceEvent& event);
  void on_note(const TraceEvent& event);
  void add_restarts(std::map<std::string, std::uint64_t>& counts, const History& history) const;
  void add_packets(std::map<std::string, std::uint64_t>& counts) const;
  void add_merges(std::map<std::string, std::uint64_t>& counts) const;
  static void add_sessions(std::map<std::string, std::uint64_t>& counts, const History& history);

  const Cluster& cluster_;
  std::vector<Host> hosts_;
  std::map<NodeId, std::size_t> host_of_;
  std::size_t in_recovery_{0};
  std::map<std::string, std::uint64_t> counts_;
  /// [packet type][phase]: taken there; of another ring than the node's own.
  std::array<std::array<std::uint64_t, phases>, packet_types> packets_{};
  std::array<std::array<std::uint64_t, phases>, packet_types> foreign_{};
  std::map<RingId, std::set<RingId>> origins_;  ///< of each ring: those its members come from
};

}  // namespace ringcast::sim
