// SPDX-License-Identifier: Apache-2.0
//
// getaddrinfo, bind, listen.
#include "tools/ringlog-monitor/web/listen_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ringcast::monitor {

namespace {

constexpr int backlog = 64;

Error wrong(std::string_view text) {
  return Error{
      Errc::invalid_argument,
      "\"" + std::string(text) +
          "\" is no address; give HOST:PORT, [IPV6]:PORT, or a port of this host alone, as in "
          "127.0.0.1:8080"};
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> resolve(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const auto port = std::to_string(address.port);
  const int code = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list);
  if (code != 0) {
    const std::string why = ::gai_strerror(code);
    return Error{Errc::invalid_argument, "--listen: no host \"" + address.host + "\": " + why};
  }
  return Addresses(list, &::freeaddrinfo);
}

bool is_loopback(const sockaddr_storage& address) {
  constexpr std::uint32_t loopback_net = 127;
  constexpr unsigned host_bits = 24;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(v4.sin_addr.s_addr) >> host_bits == loopback_net;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

std::string host_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.ss_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  }
  return ::inet_ntop(address.ss_family, bytes, text.data(), text.size());
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress address;
  const auto colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const auto* const end = port.data() + port.size();
  const auto read = std::from_chars(port.data(), end, address.port);
  if (port.empty() || read.ec != std::errc{} || read.ptr != end) return wrong(text);
  if (colon == std::string_view::npos || colon == 0) return address;
  auto host = text.substr(0, colon);
  const bool has_brackets = host.front() == '[' && host.back() == ']';
  if (has_brackets) host = host.substr(1, host.size() - 2);
  const bool is_v6 = host.find(':') != std::string_view::npos;
  if (host.empty() || is_v6 != has_brackets) return wrong(text);
  if (host.find_first_of("[]/ ") != std::string_view::npos) return wrong(text);
  address.host = host;
  return address;
}

Result<Listener> listen_at(const ListenAddress& address) {
  const auto addresses = resolve(address);
  if (!addresses) return addresses.error();
  const auto& first = *addresses.value();
  const auto failed = [&](const char* what) {
    return ringlog::system_error("--listen " + url_of(address), what, errno);
  };
  Listener listener;
  listener.socket = ringlog::Descriptor(
      ::socket(first.ai_family, first.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = listener.socket.get();
  if (fd < 0) return failed("cannot make a socket");
  const int on = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, first.ai_addr, first.ai_addrlen) != 0) return failed("cannot bind");
  if (::listen(fd, backlog) != 0) return failed("cannot listen");
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    return failed("cannot tell the port");
  }
  listener.bound = {host_of(bound), port_of(bound)};
  listener.is_loopback = is_loopback(bound);
  return listener;
}

std::string url_of(const ListenAddress& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  const auto host = is_v6 ? "[" + address.host + "]" : address.host;
  return "http://" + host + ":" + std::to_string(address.port) + "/";
}

bool is_ip_address(const std::string& text) {
  std::array<std::byte, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace ringcast::monitor
