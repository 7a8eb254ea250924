// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets for clients: the unix socket with its directory, its mode and the corpse
// of a daemon that died; and the optional TCP one. Returns plain descriptors.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "daemon/address.hpp"
#include "daemon/config.hpp"

namespace ringcast {

/// A non-blocking listening descriptor, which the caller closes; or why there is none.
using Listening = std::variant<int, SetupFailure>;

/// A socket left behind by a dead daemon is removed; one that answers is a failure.
Listening listen_unix(const std::string& path, unsigned mode);
Listening listen_tcp(const SocketAddress& configured);

}  // namespace ringcast
