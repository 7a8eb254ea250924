// SPDX-License-Identifier: Apache-2.0
//
// ListenAddress: what --listen names, and the socket there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

#include "tools/ringlog/files.hpp"

namespace ringcast::monitor {

struct ListenAddress {
  std::string host{"127.0.0.1"};  ///< an address or a name, without brackets
  std::uint16_t port{0};          ///< 0: any that is free
};

/// HOST:PORT, [IPv6]:PORT, :PORT or PORT, which is loopback. Errors: invalid_argument.
Result<ListenAddress> parse_listen_address(std::string_view text);

struct Listener {
  ringlog::Descriptor socket;  ///< listening, non-blocking
  ListenAddress bound;         ///< the address and port it has got
  bool is_loopback{false};     ///< other hosts cannot reach it
};

/// Binds the first address that the host has. Errors: invalid_argument (no such host), io.
Result<Listener> listen_at(const ListenAddress& address);

/// http://HOST:PORT/
std::string url_of(const ListenAddress& address);

/// An IPv4 address, or an IPv6 one without brackets.
bool is_ip_address(const std::string& text);

}  // namespace ringcast::monitor
