// SPDX-License-Identifier: Apache-2.0
//
// Which [[daemon]] of the file this process is: the name asked for, else the host's name,
// else the one whose address is local. A pure function of what the host says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/address.hpp"
#include "daemon/config.hpp"

namespace ringcast {

struct HostFacts {
  std::string asked_for;  ///< --name, else RINGCAST_NAME; empty: nobody asked
  std::string host_name;  ///< as gethostname says, with or without its domain
  std::vector<LocalAddress> addresses;
};

/// Index into config.daemons, or the problem.
std::variant<std::size_t, ConfigProblem> choose_daemon(
    const DaemonConfig& config, const HostFacts& host);

/// Reads RINGCAST_NAME, the host's name and its addresses.
HostFacts read_host_facts(std::string_view asked_for);

/// The part before the first dot.
std::string_view short_host_name(std::string_view host_name);

}  // namespace ringcast
