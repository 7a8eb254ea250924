// SPDX-License-Identifier: Apache-2.0
//
// Parsing addresses and opening their sockets.
#include "tools/ringlog-publish/syslog_address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr int backlog = 128;
// Bursts wait in the kernel; it may give less.
constexpr int receive_buffer_bytes = 8 << 20;
constexpr mode_t socket_mode = 0666;  // as /dev/log: whoever may enter the directory may log

Error invalid(std::string_view text, const std::string& problem) {
  return Error{
      Errc::invalid_argument,
      "--syslog \"" + std::string(text) + "\": " + problem +
          "; write unix:PATH, unix-stream:PATH, udp:HOST:PORT or tcp:HOST:PORT"};
}

Result<SyslogAddress> parse_host(SyslogAddress address, std::string_view rest) {
  const auto colon = rest.rfind(':');
  const auto port = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  const bool is_number =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
  if (!is_number || std::stoi(std::string(port)) > 65535) {
    return invalid(address.text, "no port number at the end");
  }
  auto host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (rest.find('[') == rest.npos && host.find(':') != host.npos) {
    return invalid(address.text, "an IPv6 address stands in [ ]");
  }
  address.host = host;
  address.port = port;
  return address;
}

Result<SyslogAddress> parse_path(SyslogAddress address, std::string_view rest) {
  if (rest.empty()) return invalid(address.text, "no path");
  if (rest.size() >= sizeof(sockaddr_un::sun_path)) {
    return invalid(address.text, "the path is longer than the 107 bytes a unix socket takes");
  }
  address.path = rest;
  return address;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());  // its length was checked
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<void> make_way(const SyslogAddress& address, int type) {
  struct stat status {};
  if (::lstat(address.path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return invalid(address.text, "something that is no socket is there already");
  }
  const Descriptor probe(::socket(AF_UNIX, type, 0));
  const auto place = unix_address(address.path);
  if (::connect(probe.get(), generic(place), sizeof place) == 0) {
    return invalid(address.text, "another program listens there");
  }
  (void)::unlink(address.path.c_str());
  return {};
}

Result<Descriptor> listen_unix(const SyslogAddress& address) {
  const int type = (address.is_stream() ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
  if (auto free = make_way(address, type); !free) return free.error();
  Descriptor socket(::socket(AF_UNIX, type | SOCK_NONBLOCK, 0));
  const auto place = unix_address(address.path);
  if (!socket.is_open() || ::bind(socket.get(), generic(place), sizeof place) != 0) {
    return system_error(address.text, "cannot listen", errno);
  }
  (void)::chmod(address.path.c_str(), socket_mode);
  if (address.is_stream() && ::listen(socket.get(), backlog) != 0) {
    return system_error(address.text, "cannot listen", errno);
  }
  return socket;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

Result<Descriptor> listen_at_one(const SyslogAddress& address, const addrinfo& place) {
  constexpr int yes = 1;
  constexpr int no = 0;
  Descriptor socket(::socket(
      place.ai_family, place.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, place.ai_protocol));
  if (!socket.is_open()) return system_error(address.text, "cannot make a socket", errno);
  if (address.is_stream()) {
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  }
  if (place.ai_family == AF_INET6 && address.host.empty()) {
    (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  }
  const bool bound = ::bind(socket.get(), place.ai_addr, place.ai_addrlen) == 0 &&
                     (!address.is_stream() || ::listen(socket.get(), backlog) == 0);
  if (!bound) return system_error(address.text, "cannot listen", errno);
  return socket;
}

Result<Descriptor> listen_inet(const SyslogAddress& address) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = address.is_stream() ? SOCK_STREAM : SOCK_DGRAM;
  hints.ai_family = address.host.empty() ? AF_INET6 : AF_UNSPEC;  // both, by IPV6_V6ONLY off
  addrinfo* found = nullptr;
  const auto* const host = address.host.empty() ? nullptr : address.host.c_str();
  auto failure = ::getaddrinfo(host, address.port.c_str(), &hints, &found);
  if (failure != 0) return invalid(address.text, ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  auto socket = listen_at_one(address, *list);
  if (socket || !address.host.empty()) return socket;
  hints.ai_family = AF_INET;  // a host without IPv6
  failure = ::getaddrinfo(nullptr, address.port.c_str(), &hints, &found);
  if (failure != 0) return socket;
  const std::unique_ptr<addrinfo, FreeAddresses> second(found);
  return listen_at_one(address, *second);
}

std::size_t setting(const char* file, std::size_t otherwise) {
  std::ifstream text(file);
  std::size_t value = 0;
  return text >> value && value > 0 ? value : otherwise;
}

}  // namespace

Result<SyslogAddress> parse_syslog_address(std::string_view text) {
  using Kind = SyslogAddress::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 4> kinds = {
      {{"unix", Kind::unix_datagram},
       {"unix-stream", Kind::unix_stream},
       {"udp", Kind::udp},
       {"tcp", Kind::tcp}}};
  const auto colon = text.find(':');
  for (const auto& [name, kind] : kinds) {
    if (colon == std::string_view::npos || text.substr(0, colon) != name) continue;
    SyslogAddress address;
    address.kind = kind;
    address.text = text;
    const auto rest = text.substr(colon + 1);
    const bool is_unix = kind == Kind::unix_datagram || kind == Kind::unix_stream;
    return is_unix ? parse_path(std::move(address), rest) : parse_host(std::move(address), rest);
  }
  return invalid(text, "no such kind of address");
}

Result<Descriptor> listen_at(const SyslogAddress& address) {
  auto socket = address.is_unix() ? listen_unix(address) : listen_inet(address);
  if (socket && !address.is_stream()) {
    (void)::setsockopt(
        socket->get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  return socket;
}

SyslogRoom room_of(const SyslogAddress& address, int socket) {
  SyslogRoom room;
  if (address.kind == SyslogAddress::Kind::unix_datagram) {
    constexpr std::size_t datagrams_by_default = 10;
    room.datagrams = setting("/proc/sys/net/unix/max_dgram_qlen", datagrams_by_default);
  }
  // What a unix socket was sent counts against its sender, whose room is as ours is: the default.
  const int which = address.is_unix() ? SO_SNDBUF : SO_RCVBUF;
  int bytes = 0;
  socklen_t size = sizeof bytes;
  if (::getsockopt(socket, SOL_SOCKET, which, &bytes, &size) == 0 && bytes > 0) {
    room.bytes = static_cast<std::size_t>(bytes);
  }
  return room;
}

std::chrono::milliseconds rest_within(const SyslogAddress& address, const SyslogRoom& room) {
  constexpr std::size_t burst_per_second = 8192;
  constexpr std::size_t datagrams_least = 128;
  const auto by_bytes = room.bytes / (address.is_unix() ? datagram_cost : datagram_cost_of_network);
  const auto kept = room.datagrams > 0 ? std::min(room.datagrams, by_bytes) : by_bytes;
  if (kept < datagrams_least) return std::chrono::milliseconds{0};
  return std::chrono::milliseconds{1000 * kept / burst_per_second};
}

}  // namespace ringcast::ringlog
