// SPDX-License-Identifier: Apache-2.0
#include "client/address.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ringcast {
namespace {

struct HostPort {
  std::string host;
  std::string port;
};

Result<HostPort> split(const std::string& server) {
  const Error error{
      Errc::invalid_argument,
      "server \"" + server.substr(0, 200) + "\" is not of the form HOST:PORT or [IPV6]:PORT"};
  const auto colon = server.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == server.size()) return error;
  HostPort parts{.host = server.substr(0, colon), .port = server.substr(colon + 1)};
  const bool bracketed = parts.host.front() == '[' && parts.host.back() == ']';
  if (bracketed) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != std::string::npos) {
    return error;
  }
  if (parts.host.empty()) return error;
  // The resolver would take the rest of a division for it.
  const bool is_number = parts.port.find_first_not_of("0123456789") == std::string::npos;
  unsigned port = 0;
  const auto end = parts.port.data() + parts.port.size();
  const auto read = std::from_chars(parts.port.data(), end, port);
  if (is_number && (read.ec != std::errc{} || port == 0 || port > 65535)) {
    return Error{
        Errc::invalid_argument,
        "server \"" + server.substr(0, 200) + "\": its port is not from 1 to 65535"};
  }
  return parts;
}

Result<std::vector<Address>> resolve_server(const std::string& server) {
  const auto parts = split(server);
  if (!parts) return parts.error();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found);
  if (failure != 0) {
    return Error{
        Errc::unreachable,
        "cannot resolve " + server + ": " + ::gai_strerror(failure) +
            "; check the host name and the port"};
  }
  std::vector<Address> addresses;
  for (const auto* info = found; info != nullptr; info = info->ai_next) {
    if (info->ai_addrlen > sizeof(sockaddr_storage)) continue;
    Address address;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.length = info->ai_addrlen;
    address.text = server;
    addresses.push_back(std::move(address));
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) {
    return Error{Errc::unreachable, "cannot resolve " + server + ": no address found"};
  }
  return addresses;
}

Result<std::vector<Address>> resolve_path(const std::string& path) {
  sockaddr_un where{};
  if (path.size() >= sizeof(where.sun_path) || path.find('\0') != std::string::npos) {
    return Error{
        Errc::invalid_argument,
        "socket path " + path + " has " + std::to_string(path.size()) + " bytes; at most " +
            std::to_string(sizeof(where.sun_path) - 1) + " are possible: choose a shorter one"};
  }
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.data(), path.size());
  Address address;
  std::memcpy(&address.storage, &where, sizeof(where));
  address.length = sizeof(where);
  address.text = path;
  return std::vector<Address>{std::move(address)};
}

std::string_view remedy(int family, int error) {
  if (family != AF_UNIX) {
    return "is ringcastd running there with a TCP listener ([clients] tcp), and does the network "
           "let this host through?";
  }
  switch (error) {
    case EACCES:
    case EPERM:
      return "this user must be allowed to write to the socket: see its owner and group";
    case ECONNREFUSED:
      return "the socket is there but nobody listens: is ringcastd running?";
    default:
      return "is ringcastd running, and is this its socket?";
  }
}

}  // namespace

std::string default_socket() {
  const char* chosen = std::getenv("RINGCAST_SOCKET");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  if (::geteuid() == 0) return "/run/ringcast/ringcast.sock";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return std::string(runtime) + "/ringcast.sock";
  return "/tmp/ringcast-" + std::to_string(::geteuid()) + "/ringcast.sock";
}

Result<std::vector<Address>> resolve(const ClientOptions& options) {
  if (!options.server.empty()) return resolve_server(options.server);
  return resolve_path(options.socket.empty() ? default_socket() : options.socket);
}

Error cannot_connect(const Address& address, int error) {
  return Error{
      Errc::unreachable,
      "cannot connect to " + address.text + ": " + std::system_category().message(error) + "; " +
          std::string(remedy(address.family(), error))};
}

}  // namespace ringcast
