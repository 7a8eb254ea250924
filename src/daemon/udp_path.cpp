// SPDX-License-Identifier: Apache-2.0
#include "daemon/udp_path.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ringcast {
namespace {

constexpr std::uint32_t udp_header = 8;
constexpr std::uint32_t v4_header = 20;
constexpr std::uint32_t v6_header = 40;
constexpr std::uint32_t ip_packet_max = 65535;
constexpr std::uint32_t payload_min = 512;

}  // namespace

std::uint32_t payload_for_mtu(std::uint32_t mtu, bool v6) {
  const auto headers = udp_header + (v6 ? v6_header : v4_header);
  const auto packet = std::min(mtu, ip_packet_max);
  if (packet < headers + payload_min) return payload_min;
  return packet - headers;
}

std::uint32_t interface_mtu(const SocketAddress& local) {
  constexpr std::uint32_t usual = 1500;
  const auto locals = local_addresses();
  const auto* holder = find_local(locals, local);
  if (holder == nullptr) return usual;
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return usual;
  ifreq request{};
  const auto length = std::min(holder->interface.size(), sizeof(request.ifr_name) - 1);
  std::memcpy(request.ifr_name, holder->interface.data(), length);
  const bool known = ::ioctl(descriptor, SIOCGIFMTU, &request) == 0;
  (void)::close(descriptor);
  return known ? static_cast<std::uint32_t>(request.ifr_mtu) : usual;
}

std::optional<std::uint32_t> path_mtu(const SocketAddress& local, const SocketAddress& peer) {
  const int descriptor = ::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return std::nullopt;
  auto source = local;
  source.set_port(0);
  int mtu{0};
  socklen_t mtu_bytes = sizeof(mtu);
  const bool known =
      ::bind(descriptor, source.native(), source.native_bytes()) == 0 &&
      ::connect(descriptor, peer.native(), peer.native_bytes()) == 0 &&
      (local.is_v6() ? ::getsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU, &mtu, &mtu_bytes)
                     : ::getsockopt(descriptor, IPPROTO_IP, IP_MTU, &mtu, &mtu_bytes)) == 0;
  (void)::close(descriptor);
  if (!known || mtu <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(mtu);
}

std::string list_hosts(int family) {
  std::string hosts;
  for (const auto& local : local_addresses()) {
    if (local.address.family() != family) continue;
    const auto text = to_string(local.address);
    if (!hosts.empty()) hosts += ", ";
    hosts += text.substr(0, text.rfind(':'));
  }
  return hosts.empty() ? "no address of that family" : hosts;
}

SetupFailure missing_interface(std::string option, const SocketAddress& address) {
  return SetupFailure{
      .option = std::move(option),
      .problem = "interface \"" + std::string(address.scope()) + "\" of address " +
                 to_string(address) + " does not exist",
      .remedy = "name an interface of this host (see: ip link)"};
}

unsigned multicast_interface_index(const std::string& name, const SocketAddress& local) {
  if (!name.empty()) return if_nametoindex(name.c_str());
  const auto locals = local_addresses();
  const auto* holder = find_local(locals, local);
  return holder == nullptr ? 0 : holder->index;
}

bool join_group(int descriptor, const SocketAddress& group, unsigned index) {
  if (group.is_v6()) {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = group.v6();
    request.ipv6mr_interface = index;
    return ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof(request)) == 0;
  }
  ip_mreqn request{};
  request.imr_multiaddr = group.v4();
  request.imr_ifindex = static_cast<int>(index);
  return ::setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) == 0;
}

bool aim_multicast(int descriptor, const SocketAddress& group, unsigned index, unsigned ttl) {
  const int hops = static_cast<int>(ttl);
  const int number = static_cast<int>(index);
  const auto set = [descriptor](int level, int option, const void* value, socklen_t bytes) {
    return ::setsockopt(descriptor, level, option, value, bytes) == 0;
  };
  if (group.is_v6()) {
    return set(IPPROTO_IPV6, IPV6_MULTICAST_IF, &number, sizeof(number)) &&
           set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
  }
  ip_mreqn request{};
  request.imr_ifindex = number;
  return set(IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof(request)) &&
         set(IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops));
}

bool loop_multicast(int descriptor, bool v6, bool looped) {
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int option = v6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP;
  const int value = looped ? 1 : 0;
  return ::setsockopt(descriptor, level, option, &value, sizeof(value)) == 0;
}

bool is_of_this_host(SocketAddress address) {
  address.set_port(0);  // its own may be about to be bound
  const int descriptor = ::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return true;
  const bool refused =
      ::bind(descriptor, address.native(), address.native_bytes()) != 0 && errno == EADDRNOTAVAIL;
  (void)::close(descriptor);
  return !refused;
}

bool has_route(const SocketAddress& group, unsigned index) {
  const int descriptor = ::socket(group.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  const bool reachable = aim_multicast(descriptor, group, index, 1) &&
                         ::connect(descriptor, group.native(), group.native_bytes()) == 0;
  const int error = errno;
  (void)::close(descriptor);
  errno = error;
  return reachable;
}

}  // namespace ringcast
