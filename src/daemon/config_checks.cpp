// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_checks.hpp"

#include <algorithm>
#include <utility>

#include "ringcast/client.hpp"

#include "daemon/options.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/limits.hpp"

namespace ringcast {
namespace {

class Checker {
 public:
  Checker(const DaemonConfig& config, const Known& known) : config_(config), known_(known) {}

  std::vector<ConfigProblem> check() {
    check_daemons();
    check_transport();
    check_socket();
    if (known_.numbers) check_relations();
    return std::move(problems_);
  }

 private:
  void complain(FilePosition at, std::string problem, std::string remedy) {
    problems_.push_back(
        ConfigProblem{.at = at, .problem = std::move(problem), .remedy = std::move(remedy)});
  }

  void check_daemons() {
    const auto& daemons = config_.daemons;
    if (daemons.empty() && known_.daemons) {
      complain(
          FilePosition{.line = 1, .column = 1},
          "no daemon is configured",
          "add a [[daemon]] table with name and address for every host");
    }
    if (daemons.size() > nodes_max) {
      const auto& first_too_many = daemons[nodes_max];
      complain(
          first_too_many.at,
          std::to_string(daemons.size()) + " daemons are configured and a ring has at most " +
              std::to_string(nodes_max),
          "remove this one and those after it; their programs can be TCP clients of others");
    }
    for (std::size_t i = 1; i < daemons.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        compare(daemons[j], daemons[i]);
      }
    }
    check_family();
  }

  void compare(const ConfiguredDaemon& first, const ConfiguredDaemon& second) {
    const auto earlier = " in line " + std::to_string(first.at.line);
    if (!first.name.empty() && first.name == second.name) {
      complain(
          second.name_at,
          "daemon name " + quoted(second.name) + " is used already, by the [[daemon]]" + earlier,
          "give every daemon a name of its own");
    } else if (
        !first.name.empty() && !second.name.empty() &&
        node_id(first.name) == node_id(second.name)) {
      complain(
          second.name_at,
          "daemon names " + quoted(second.name) + " and " + quoted(first.name) +
              " have the same 32-bit id " + to_string(node_id(first.name)),
          "rename one of them");
    }
    if (first.address == second.address && first.address.family() != AF_UNSPEC) {
      complain(
          second.address_at,
          "address " + quoted(second.address_text) + " is used already, by daemon " +
              quoted(first.name) + earlier,
          "give every daemon an address or port of its own");
    }
  }

  void check_family() {
    const auto& daemons = config_.daemons;
    const auto known = std::find_if(daemons.begin(), daemons.end(), [](const auto& daemon) {
      return daemon.address.family() != AF_UNSPEC;
    });
    if (known == daemons.end()) return;
    for (const auto& daemon : daemons) {
      if (daemon.address.family() == AF_UNSPEC) continue;
      if (daemon.address.family() == known->address.family()) continue;
      complain(
          daemon.address_at,
          "address " + quoted(daemon.address_text) + " is not of the same family as " +
              quoted(known->address_text),
          "use IPv4 for all daemons or IPv6 for all daemons");
    }
    if (config_.multicast && config_.multicast->family() != known->address.family()) {
      complain(
          config_.position("ring.multicast"),
          "the multicast address is not of the same family as " + quoted(known->address_text),
          "use IPv4 for both or IPv6 for both");
    }
  }

  void check_transport() {
    if (config_.transport != RingTransport::multicast) return;
    if (config_.positions.contains("ring.multicast")) return;
    complain(
        config_.position("ring.transport"),
        "transport is multicast and no multicast address is given",
        "add multicast = \"239.192.73.1:4913\" to [ring], or use unicast");
  }

  void check_socket() {
    const auto pattern = config_.socket.empty() ? default_socket() : config_.socket;
    const ConfiguredDaemon* worst{nullptr};
    for (const auto& daemon : config_.daemons) {
      if (worst == nullptr || daemon.name.size() > worst->name.size()) worst = &daemon;
    }
    const auto path = expand_name(pattern, worst == nullptr ? "" : worst->name);
    if (path.size() > socket_path_bytes_max) {
      complain(
          config_.position("clients.socket"),
          "the socket path of daemon " + quoted(worst == nullptr ? "" : worst->name) + " has " +
              std::to_string(path.size()) + " bytes and may have " +
              std::to_string(socket_path_bytes_max),
          "choose a shorter socket path");
    }
    if (!config_.socket.empty() && config_.socket.front() != '/') {
      complain(
          config_.position("clients.socket"),
          "socket " + quoted(config_.socket) + " is not an absolute path",
          "begin it with '/'");
    }
  }

  void check_relations() {
    for (auto& broken : config_.ring.broken_relations()) {
      complain(blame(broken.options), std::move(broken.problem), std::move(broken.remedy));
    }
    const auto session = config_.session.validate(config_.ring.message_bytes_max);
    if (session) return;
    complain(
        blame({"backlog_bytes_max", "message_bytes_max"}),
        session.error().message,
        "raise backlog_bytes_max in [clients] or lower message_bytes_max in [limits]");
  }

  /// The line of the first option that the file mentions: a default is never to blame.
  FilePosition blame(const std::vector<std::string_view>& names) const {
    for (const auto name : names) {
      for (const auto& option : options()) {
        if (option.key != name) continue;
        const auto found = config_.positions.find(qualified(option.section, option.key));
        if (found != config_.positions.end()) return found->second;
      }
    }
    return FilePosition{.line = 1, .column = 1};
  }

  const DaemonConfig& config_;
  const Known& known_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace

std::vector<ConfigProblem> check_config(const DaemonConfig& config, const Known& known) {
  return Checker(config, known).check();
}

}  // namespace ringcast
