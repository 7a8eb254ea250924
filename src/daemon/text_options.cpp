// SPDX-License-Identifier: Apache-2.0
#include "daemon/text_options.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/names.hpp"

#include "configuration/options.hpp"
#include "daemon/logging.hpp"

namespace ringcast {
namespace {

TextOutcome set_name(std::string& name, std::string_view what, const std::string& text) {
  if (!is_valid_word(text)) {
    return Complaint{
        std::string(what) + " name " + quoted(text) + " is not a valid name",
        "use 1 to 64 letters, digits, '_', '.', ':' or '-'"};
  }
  name = text;
  return std::nullopt;
}

// What one option wants of its address beyond being one.
struct AddressRule {
  bool (*is_fit)(const SocketAddress&);
  std::string_view otherwise;  // follows the quoted address
  std::string_view remedy;
};

template <class Place>
TextOutcome set_address(Place& place, const std::string& text, const AddressRule& rule) {
  const auto parsed = SocketAddress::parse(text);
  if (!parsed) {
    return Complaint{
        parsed.error().message, "write it as \"192.0.2.1:4913\" or \"[2001:db8::1]:4913\""};
  }
  if (parsed->port() == 0) {
    return Complaint{"port 0 is no port to listen on", "choose a port from 1 to 65535"};
  }
  if (!rule.is_fit(*parsed)) {
    return Complaint{quoted(text) + std::string(rule.otherwise), std::string(rule.remedy)};
  }
  place = *parsed;
  return std::nullopt;
}

constexpr AddressRule daemon_rule{
    [](const SocketAddress& address) {
      return !address.is_multicast() && !address.is_unspecified();
    },
    " is not the address of one host",
    "give the address by which the other daemons reach this one"};

constexpr AddressRule multicast_rule{
    [](const SocketAddress& address) { return address.is_multicast(); },
    " is not a multicast address",
    R"(use one such as "239.192.73.1:4913" or "[ff15::4913]:4913")"};

constexpr AddressRule tcp_rule{
    [](const SocketAddress& address) { return !address.is_multicast(); },
    " is a multicast address",
    "give an address of this host, or 0.0.0.0 for all of them"};

}  // namespace

TextOutcome set_cluster_name(DaemonConfig& config, const ConfigEntry& entry) {
  return set_name(config.cluster, "cluster", entry.value.text);
}

TextOutcome set_daemon_name(DaemonConfig& config, const ConfigEntry& entry) {
  auto& daemon = config.daemons.back();
  daemon.name_at = entry.value.at;
  return set_name(daemon.name, "daemon", entry.value.text);
}

TextOutcome set_daemon_address(DaemonConfig& config, const ConfigEntry& entry) {
  auto& daemon = config.daemons.back();
  daemon.address_at = entry.value.at;
  daemon.address_text = entry.value.text;
  return set_address(daemon.address, entry.value.text, daemon_rule);
}

TextOutcome set_transport(DaemonConfig& config, const ConfigEntry& entry) {
  const auto& text = entry.value.text;
  if (text == "unicast") {
    config.transport = RingTransport::unicast;
  } else if (text == "multicast") {
    config.transport = RingTransport::multicast;
  } else if (text == "auto") {
    config.transport = RingTransport::automatic;
  } else {
    return Complaint{
        "transport " + quoted(text) + " is unknown", R"(choose "unicast", "multicast" or "auto")"};
  }
  return std::nullopt;
}

TextOutcome set_multicast(DaemonConfig& config, const ConfigEntry& entry) {
  return set_address(config.multicast, entry.value.text, multicast_rule);
}

TextOutcome set_mode(DaemonConfig& config, const ConfigEntry& entry) {
  const auto& text = entry.value.text;
  const bool octal =
      (text.size() == 3 || (text.size() == 4 && text.front() == '0')) &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (!octal) {
    return Complaint{
        "mode " + quoted(text) + " is no file mode", R"(write three octal digits, such as "0660")"};
  }
  config.socket_mode = 0;
  for (const char c : text) {
    config.socket_mode = config.socket_mode * 8 + static_cast<unsigned>(c - '0');
  }
  return std::nullopt;
}

TextOutcome set_tcp(DaemonConfig& config, const ConfigEntry& entry) {
  return set_address(config.tcp, entry.value.text, tcp_rule);
}

TextOutcome set_level(DaemonConfig& config, const ConfigEntry& entry) {
  const auto level = parse_trace_level(entry.value.text);
  if (!level) {
    return Complaint{
        "log level " + quoted(entry.value.text) + " is unknown",
        "choose " + std::string(trace_levels)};
  }
  config.log_level = *level;
  return std::nullopt;
}

}  // namespace ringcast
