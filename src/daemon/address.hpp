// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress: an IPv4 or IPv6 address with a port, as written in the configuration
// ("192.0.2.1:4913", "[2001:db8::1]:4913") and as the kernel wants it. Numeric only: a name
// that means one thing here and another there has no place in a file that all hosts share. The
// interface of a link-local address ("[fe80::1%eth0]:4913") is the exception, and only a word
// until resolve_scope().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <net/if.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

#include "ringcast/result.hpp"

namespace ringcast {

class SocketAddress {
 public:
  SocketAddress();

  /// Errors: invalid_argument with the rule broken.
  static Result<SocketAddress> parse(std::string_view text);
  /// Looks the interface up on this host; native() has it from then on. False: there is none
  /// of that name. True when the address names none.
  bool resolve_scope();
  [[nodiscard]] std::string_view scope() const { return scope_.data(); }  ///< "eth0", or ""
  /// As the kernel returned it. Anything but IPv4 and IPv6 gives an address equal to none.
  static SocketAddress from_native(const sockaddr_storage& storage);

  [[nodiscard]] const sockaddr* native() const;
  [[nodiscard]] socklen_t native_bytes() const;
  [[nodiscard]] int family() const { return family_; }
  [[nodiscard]] bool is_v6() const { return family_ == AF_INET6; }
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;  ///< 127/8 or ::1
  /// The same host address, whatever the ports.
  [[nodiscard]] bool same_host(const SocketAddress& other) const;
  [[nodiscard]] const in_addr& v4() const { return v4_.sin_addr; }
  [[nodiscard]] const in6_addr& v6() const { return v6_.sin6_addr; }

  friend bool operator==(const SocketAddress& a, const SocketAddress& b) {
    return a.same_host(b) && a.port() == b.port();
  }
  /// For look-up tables.
  [[nodiscard]] std::size_t hash() const;

 private:
  int family_{AF_UNSPEC};
  sockaddr_in v4_{};
  sockaddr_in6 v6_{};
  std::array<char, IF_NAMESIZE> scope_{};  ///< ends with a zero
};

std::string to_string(const SocketAddress& address);

/// One address of one interface of this host.
struct LocalAddress {
  SocketAddress address;  ///< port 0
  std::string interface;
  unsigned index{0};
};

std::vector<LocalAddress> local_addresses();
/// The interface that holds `address` (all of 127/8 is the loopback's), or null.
const LocalAddress* find_local(
    const std::vector<LocalAddress>& locals, const SocketAddress& address);

}  // namespace ringcast

template <>
struct std::hash<ringcast::SocketAddress> {
  std::size_t operator()(const ringcast::SocketAddress& address) const noexcept {
    return address.hash();
  }
};
