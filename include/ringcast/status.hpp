// SPDX-License-Identifier: Apache-2.0
//
// Status: what a daemon tells about itself, its ring and its groups.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ringcast/configuration.hpp"
#include "ringcast/names.hpp"

namespace ringcast {

struct DaemonInfo {
  std::string name;
  std::string address;  ///< as configured
  bool member{false};   ///< in the current configuration

  auto operator<=>(const DaemonInfo&) const = default;
};

struct NodeStatus {
  std::string daemon;
  std::string cluster;
  std::string version;
  /// operational | exchange (operational, group state not yet complete) | gather | commit |
  /// recovery | starting | stopped
  std::string state;
  Configuration configuration;  ///< the last whose group state was complete
  double uptime_s{0};
  std::uint64_t groups{0};    ///< with members anywhere in the configuration
  std::uint64_t sessions{0};  ///< of this daemon
  std::vector<DaemonInfo> daemons;
  std::vector<std::string> warnings;  ///< what an operator should know, one sentence each
  std::vector<std::pair<std::string, std::uint64_t>> counters;  ///< sorted by name
};

struct GroupInfo {
  std::string group;
  std::vector<MemberName> members;
};

}  // namespace ringcast
