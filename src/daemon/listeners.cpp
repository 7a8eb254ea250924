// SPDX-License-Identifier: Apache-2.0
#include "daemon/listeners.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "ringcast/client.hpp"

#include "daemon/system_message.hpp"
#include "daemon/udp_path.hpp"

namespace ringcast {
namespace {

constexpr int backlog = 256;

SetupFailure socket_failure(std::string problem, std::string remedy) {
  return SetupFailure{
      .option = "clients.socket", .problem = std::move(problem), .remedy = std::move(remedy)};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The directories that are ours to make: that of the default socket, and root's.
bool is_ours_to_make(const std::string& directory) {
  return directory == parent_of(default_socket()) ||
         (::geteuid() == 0 && directory == "/run/ringcast");
}

std::optional<SetupFailure> prepare_directory(const std::string& path) {
  const auto directory = parent_of(path);
  const bool in_tmp = directory.rfind("/tmp/", 0) == 0;
  struct stat info {};
  if (::lstat(directory.c_str(), &info) != 0) {
    if (errno != ENOENT || !is_ours_to_make(directory)) {
      return socket_failure(
          "cannot use socket directory " + directory + ": " + system_message(errno),
          "make the directory, or choose another socket");
    }
    if (::mkdir(directory.c_str(), in_tmp ? 0700 : 0755) != 0) {
      return socket_failure(
          "cannot make socket directory " + directory + ": " + system_message(errno),
          "make the directory, or choose another socket");
    }
    return std::nullopt;
  }
  // In /tmp anyone could have put this directory there before us.
  if (in_tmp && is_ours_to_make(directory) &&
      (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid())) {
    return socket_failure(
        "socket directory " + directory + " belongs to someone else",
        "remove it, or choose another socket");
  }
  return std::nullopt;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// 0 when something accepts connections there, else the error.
int try_connect(const std::string& path) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return errno;
  const auto address = unix_address(path);
  const int failed = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = failed == 0 ? 0 : errno;
  (void)::close(probe);
  return error == EAGAIN ? 0 : error;  // a full backlog is a live daemon
}

std::optional<SetupFailure> remove_corpse(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  if (!S_ISSOCK(info.st_mode)) {
    return socket_failure(
        path + " exists and is not a socket", "remove it or choose another socket");
  }
  const int error = try_connect(path);
  if (error == 0) {
    return socket_failure(
        "another daemon is listening on socket " + path,
        "stop it, or give this daemon a socket of its own (%n stands for its name)");
  }
  const bool is_dead = error == ECONNREFUSED;
  if (is_dead && ::unlink(path.c_str()) == 0) return std::nullopt;
  return socket_failure(
      "cannot replace the old socket " + path + ": " + system_message(is_dead ? errno : error),
      "remove it or choose another socket");
}

}  // namespace

Listening listen_unix(const std::string& path, unsigned mode) {
  if (path.size() > socket_path_bytes_max) {
    return socket_failure(
        "socket path " + path + " has " + std::to_string(path.size()) + " bytes and may have " +
            std::to_string(socket_path_bytes_max),
        "choose a shorter socket path");
  }
  if (auto failure = prepare_directory(path)) return *failure;
  if (auto failure = remove_corpse(path)) return *failure;
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto address = unix_address(path);
  const auto mask = ::umask(0177);
  const bool bound =
      listener >= 0 &&
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  int error = errno;
  (void)::umask(mask);
  if (bound && ::chmod(path.c_str(), mode) == 0 && ::listen(listener, backlog) == 0) {
    return listener;
  }
  if (bound) error = errno;
  if (listener >= 0) (void)::close(listener);
  return socket_failure(
      "cannot listen on socket " + path + ": " + system_message(error),
      "make its directory writable for this user, or choose another socket");
}

Listening listen_tcp(const SocketAddress& configured) {
  auto address = configured;
  if (!address.resolve_scope()) {
    return missing_interface("clients.tcp", address);
  }
  const int listener = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on{1};
  if (listener >= 0) {
    (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(listener, address.native(), address.native_bytes()) == 0 &&
        ::listen(listener, backlog) == 0) {
      return listener;
    }
  }
  const int error = errno;
  if (listener >= 0) (void)::close(listener);
  SetupFailure failure;
  failure.option = "clients.tcp";
  failure.problem = "cannot listen on TCP " + to_string(address) + ": " + system_message(error);
  if (error == EADDRINUSE) {
    failure.problem = "TCP port of " + to_string(address) + " is in use";
    failure.remedy = "stop the program that holds it (see: ss -tlpn) or choose another port";
  } else if (error == EADDRNOTAVAIL) {
    failure.remedy =
        "this host has " + list_hosts(address.family()) + "; use one of them, or 0.0.0.0";
  } else {
    failure.remedy = "choose another address or port";
  }
  return failure;
}

}  // namespace ringcast
