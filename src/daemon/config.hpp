// SPDX-License-Identifier: Apache-2.0
//
// DaemonConfig: what the configuration file says, checked as far as a file can be checked
// without looking at the host it is on. One file serves every host of the cluster.
//
// Reading never stops at the first mistake: every problem is collected, each with its line
// and column and what to do about it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "configuration/document.hpp"
#include "daemon/address.hpp"
#include "protocol/base/trace.hpp"
#include "protocol/ring/config.hpp"
#include "protocol/session/config.hpp"

namespace ringcast {

struct ConfiguredDaemon {
  std::string name;
  SocketAddress address;
  std::string address_text;  ///< as written
  FilePosition at;           ///< of the [[daemon]] line
  FilePosition name_at;
  FilePosition address_at;
};

enum class RingTransport : std::uint8_t { unicast, multicast, automatic };

struct DaemonConfig {
  std::string file;  ///< empty: no file, a ring of one
  std::string cluster{"ringcast"};
  std::vector<ConfiguredDaemon> daemons;

  RingTransport transport{RingTransport::automatic};
  std::optional<SocketAddress> multicast;
  std::string multicast_interface;  ///< empty: the one that holds our address
  unsigned multicast_ttl{1};
  std::uint64_t socket_buffer_bytes{
      std::uint64_t{16} << 20U};  ///< asked for; the kernel may give less

  std::string socket;  ///< with %n; empty: default_socket()
  unsigned socket_mode{0660};
  std::optional<SocketAddress> tcp;
  bool shared_memory{true};  ///< with clients on this host that offer some

  std::string state_directory;  ///< with %n; empty: the rule of docs
  TraceLevel log_level{TraceLevel::info};

  RingConfig ring;
  SessionConfig session;

  /// Where "section.key" was given, for problems found later.
  std::map<std::string, FilePosition> positions;

  /// Of that option, or 1:1 when the file does not mention it.
  [[nodiscard]] FilePosition position(const std::string& option) const;
  [[nodiscard]] bool uses_multicast() const {
    return multicast.has_value() && transport != RingTransport::unicast;
  }
};

/// Something the configuration asks for that this host does not give.
struct SetupFailure {
  std::string option;  ///< "clients.socket"; "daemon.address" is our own
  std::string problem;
  std::string remedy;
};

struct ReadConfig {
  DaemonConfig config;                  ///< meaningful only without problems
  std::vector<ConfigProblem> problems;  ///< in file order
};

/// Reads and checks a configuration. `file` is only its name, for messages.
ReadConfig read_config(std::string_view file, std::string_view text);

/// The ring of one that runs without a file.
DaemonConfig default_config(std::string_view name);

/// `text` with every %n replaced by `name`.
std::string expand_name(std::string_view text, std::string_view name);

/// Longest path of a unix socket, without its terminating zero.
inline constexpr std::size_t socket_path_bytes_max = 107;

}  // namespace ringcast
