// SPDX-License-Identifier: Apache-2.0
//
// What the host tells about the way to a peer: interfaces, MTUs, multicast memberships.
// Small questions to the kernel, asked at start only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/address.hpp"
#include "daemon/config.hpp"

namespace ringcast {

/// Largest UDP payload in one packet of that MTU, at least 512 and at most what UDP can carry.
std::uint32_t payload_for_mtu(std::uint32_t mtu, bool v6);

/// MTU of the interface that holds `local`; 1500 when it cannot be told.
std::uint32_t interface_mtu(const SocketAddress& local);
/// MTU of the route from `local` to `peer`; nothing when there is none now.
std::optional<std::uint32_t> path_mtu(const SocketAddress& local, const SocketAddress& peer);

/// "10.0.0.1, 127.0.0.1": this host's addresses of a family, for messages.
std::string list_hosts(int family);

/// `address` of that option cannot be used here: its resolve_scope() failed.
SetupFailure missing_interface(std::string option, const SocketAddress& address);

/// Index of the named interface, or of the one that holds `local`; 0: none.
unsigned multicast_interface_index(const std::string& name, const SocketAddress& local);
/// False with errno set.
bool join_group(int descriptor, const SocketAddress& group, unsigned index);
/// Makes `descriptor` send its multicast on that interface. False with errno set.
bool aim_multicast(int descriptor, const SocketAddress& group, unsigned index, unsigned ttl);
/// Whether what it sends to a group comes back to this host, too. False with errno set.
bool loop_multicast(int descriptor, bool v6, bool looped);
/// Whether a daemon with that address runs on this host, if it runs: the kernel lets us bind to it,
/// whatever the port, or refuses for another reason than that it is not ours.
bool is_of_this_host(SocketAddress address);
/// Whether packets for the group can leave by that interface. False with errno set.
bool has_route(const SocketAddress& group, unsigned index);

}  // namespace ringcast
