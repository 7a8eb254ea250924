// SPDX-License-Identifier: Apache-2.0
//
// SyslogAddress: where syslog messages come in, as --syslog names it, and the socket there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ringcast/result.hpp"

#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

struct SyslogAddress {
  enum class Kind : std::uint8_t { unix_datagram, unix_stream, udp, tcp };
  Kind kind{Kind::unix_datagram};
  std::string text;  ///< as it was given
  std::string path;  ///< of unix sockets
  std::string host;  ///< of the others; empty: every address of this host
  std::string port;

  [[nodiscard]] bool is_stream() const { return kind == Kind::unix_stream || kind == Kind::tcp; }
  [[nodiscard]] bool is_unix() const { return !path.empty(); }
};

/// "unix:PATH", "unix-stream:PATH", "udp:HOST:PORT", "tcp:HOST:PORT"; HOST may be [IPv6], or
/// missing. Errors: invalid_argument, with the forms.
Result<SyslogAddress> parse_syslog_address(std::string_view text);

/// Binds, and listens where that is due; a unix socket that nobody serves any more is replaced.
/// Non-blocking. Errors: io; invalid_argument (another process has it, no such host).
Result<Descriptor> listen_at(const SyslogAddress& address);

/// What the kernel keeps for a socket of listen_at() until it is read.
struct SyslogRoom {
  std::size_t datagrams{0};  ///< of all senders; 0: no limit but that of the bytes
  std::size_t bytes{0};      ///< each datagram with some KiB of the kernel's own; of a unix socket
                             ///< for each sender, by default
};
SyslogRoom room_of(const SyslogAddress& address, int socket);

/// What a log line takes of that room as a datagram: its bytes, and those of the kernel.
inline constexpr std::size_t datagram_cost = 1280;             // by a unix socket
inline constexpr std::size_t datagram_cost_of_network = 2304;  // by UDP

/// How long one may look away from a socket of datagrams. Who sends to a full one drops what it
/// sends, so a rest leaves room for a burst of 8192 log lines a second while it lasts; it is zero
/// where the kernel keeps less than 128. REQUIRES: not a stream.
std::chrono::milliseconds rest_within(const SyslogAddress& address, const SyslogRoom& room);

}  // namespace ringcast::ringlog
