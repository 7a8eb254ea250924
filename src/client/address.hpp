// SPDX-License-Identifier: Apache-2.0
//
// Where the daemon is: turns ClientOptions into socket addresses, and failed attempts to
// reach them into sentences that say what to do. Opens nothing.
#pragma once

#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

#include "ringcast/client.hpp"
#include "ringcast/result.hpp"

namespace ringcast {

struct Address {
  sockaddr_storage storage{};
  socklen_t length{0};
  std::string text;  ///< as the user wrote it

  [[nodiscard]] int family() const { return storage.ss_family; }
};

/// The addresses to try, in order; at least one. Resolving a host name may block.
/// Errors: invalid_argument (path too long, not HOST:PORT), unreachable (unknown host).
Result<std::vector<Address>> resolve(const ClientOptions& options);

/// `error` is an errno value of connecting to `address`.
Error cannot_connect(const Address& address, int error);

}  // namespace ringcast
