// SPDX-License-Identifier: Apache-2.0
#include "daemon/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <optional>

namespace ringcast {
namespace {

Error bad_address(std::string_view text, std::string_view why) {
  return Error{
      Errc::invalid_argument,
      "\"" + std::string(text.substr(0, 80)) + "\" is not an address: " + std::string(why)};
}

struct HostPort {
  std::string host;
  std::string_view port;
  bool bracketed{false};
};

std::optional<HostPort> split(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find("]:");
    if (end == std::string_view::npos) return std::nullopt;
    return HostPort{
        .host = std::string(text.substr(1, end - 1)),
        .port = text.substr(end + 2),
        .bracketed = true};
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon != text.rfind(':')) return std::nullopt;
  return HostPort{
      .host = std::string(text.substr(0, colon)),
      .port = text.substr(colon + 1),
      .bracketed = false};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port{0};
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return port;
}

/// As the kernel lets one be named; whether there is one is another question.
bool is_interface_name(std::string_view text) {
  if (text.empty() || text.size() >= IF_NAMESIZE || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '/' && c != ':' && c != '%';
  });
}

}  // namespace

SocketAddress::SocketAddress() {
  v4_.sin_family = AF_INET;
  v6_.sin6_family = AF_INET6;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  auto parts = split(text);
  if (!parts) return bad_address(text, "it is neither IP:PORT nor [IPv6]:PORT");
  const auto port = parse_port(parts->port);
  if (!port) return bad_address(text, "the port is not a number from 0 to 65535");
  SocketAddress address;
  if (!parts->bracketed) {
    if (inet_pton(AF_INET, parts->host.c_str(), &address.v4_.sin_addr) != 1) {
      return bad_address(text, "the host is not a numeric IPv4 address");
    }
    address.family_ = AF_INET;
    address.set_port(*port);
    return address;
  }
  const auto percent = parts->host.find('%');
  if (percent != std::string::npos) {
    const auto scope = std::string_view(parts->host).substr(percent + 1);
    if (!is_interface_name(scope)) {
      return bad_address(text, "what follows '%' is not the name of an interface");
    }
    std::copy(scope.begin(), scope.end(), address.scope_.begin());
    parts->host.resize(percent);
  }
  if (inet_pton(AF_INET6, parts->host.c_str(), &address.v6_.sin6_addr) != 1) {
    return bad_address(text, "the host in brackets is not a numeric IPv6 address");
  }
  address.family_ = AF_INET6;
  address.set_port(*port);
  return address;
}

bool SocketAddress::resolve_scope() {
  if (scope().empty()) return true;
  v6_.sin6_scope_id = if_nametoindex(scope_.data());
  return v6_.sin6_scope_id != 0;
}

SocketAddress SocketAddress::from_native(const sockaddr_storage& storage) {
  SocketAddress address;
  if (storage.ss_family == AF_INET) {
    std::memcpy(&address.v4_, &storage, sizeof(address.v4_));
    address.family_ = AF_INET;
  } else if (storage.ss_family == AF_INET6) {
    std::memcpy(&address.v6_, &storage, sizeof(address.v6_));
    address.family_ = AF_INET6;
  }
  return address;
}

const sockaddr* SocketAddress::native() const {
  if (is_v6()) return reinterpret_cast<const sockaddr*>(&v6_);
  return reinterpret_cast<const sockaddr*>(&v4_);
}

socklen_t SocketAddress::native_bytes() const { return is_v6() ? sizeof(v6_) : sizeof(v4_); }

std::uint16_t SocketAddress::port() const { return ntohs(is_v6() ? v6_.sin6_port : v4_.sin_port); }

void SocketAddress::set_port(std::uint16_t port) {
  (is_v6() ? v6_.sin6_port : v4_.sin_port) = htons(port);
}

bool SocketAddress::is_multicast() const {
  if (is_v6()) return v6_.sin6_addr.s6_addr[0] == 0xff;
  return (ntohl(v4_.sin_addr.s_addr) >> 28U) == 0xe;
}

bool SocketAddress::is_unspecified() const {
  if (is_v6()) return IN6_IS_ADDR_UNSPECIFIED(&v6_.sin6_addr) != 0;
  return v4_.sin_addr.s_addr == 0;
}

bool SocketAddress::is_loopback() const {
  if (is_v6()) return IN6_IS_ADDR_LOOPBACK(&v6_.sin6_addr) != 0;
  return (ntohl(v4_.sin_addr.s_addr) >> 24U) == 127;
}

bool SocketAddress::same_host(const SocketAddress& other) const {
  if (family_ != other.family_) return false;
  if (!is_v6()) return v4_.sin_addr.s_addr == other.v4_.sin_addr.s_addr;
  return std::memcmp(&v6_.sin6_addr, &other.v6_.sin6_addr, sizeof(in6_addr)) == 0;
}

std::size_t SocketAddress::hash() const {
  const std::string_view host =
      is_v6() ? std::string_view{reinterpret_cast<const char*>(&v6_.sin6_addr), sizeof(in6_addr)}
              : std::string_view{reinterpret_cast<const char*>(&v4_.sin_addr), sizeof(in_addr)};
  return std::hash<std::string_view>{}(host)*31 + port();
}

std::string to_string(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto port = ":" + std::to_string(address.port());
  if (address.is_v6()) {
    inet_ntop(AF_INET6, &address.v6(), text.data(), text.size());
    const auto scope = address.scope().empty() ? "" : "%" + std::string(address.scope());
    return "[" + std::string(text.data()) + scope + "]" + port;
  }
  inet_ntop(AF_INET, &address.v4(), text.data(), text.size());
  return std::string(text.data()) + port;
}

std::vector<LocalAddress> local_addresses() {
  std::vector<LocalAddress> found;
  ifaddrs* list{nullptr};
  if (getifaddrs(&list) != 0) return found;
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const auto family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(
        &storage, entry->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    found.push_back(LocalAddress{
        .address = SocketAddress::from_native(storage),
        .interface = entry->ifa_name,
        .index = if_nametoindex(entry->ifa_name)});
  }
  freeifaddrs(list);
  return found;
}

const LocalAddress* find_local(
    const std::vector<LocalAddress>& locals, const SocketAddress& address) {
  const auto exact = std::find_if(locals.begin(), locals.end(), [&](const LocalAddress& local) {
    return local.address.same_host(address);
  });
  if (exact != locals.end()) return &*exact;
  if (!address.is_loopback()) return nullptr;
  const auto loopback = std::find_if(locals.begin(), locals.end(), [&](const LocalAddress& local) {
    return local.address.is_loopback() && local.address.family() == address.family();
  });
  return loopback == locals.end() ? nullptr : &*loopback;
}

}  // namespace ringcast
