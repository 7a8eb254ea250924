// SPDX-License-Identifier: Apache-2.0
//
// The options that are written as text, one function each: it takes the value into the
// configuration or says what is wrong with it. The table in options.cpp names them.
#pragma once

#include <optional>
#include <string>

#include "configuration/document.hpp"
#include "daemon/config.hpp"

namespace ringcast {

/// A problem without its place, which is the value's.
struct Complaint {
  std::string problem;
  std::string remedy;
};

using TextOutcome = std::optional<Complaint>;  ///< nothing: taken

TextOutcome set_cluster_name(DaemonConfig& config, const ConfigEntry& entry);
/// These two are of the last daemon.
TextOutcome set_daemon_name(DaemonConfig& config, const ConfigEntry& entry);
TextOutcome set_daemon_address(DaemonConfig& config, const ConfigEntry& entry);
TextOutcome set_transport(DaemonConfig& config, const ConfigEntry& entry);
TextOutcome set_multicast(DaemonConfig& config, const ConfigEntry& entry);
TextOutcome set_mode(DaemonConfig& config, const ConfigEntry& entry);
TextOutcome set_tcp(DaemonConfig& config, const ConfigEntry& entry);
TextOutcome set_level(DaemonConfig& config, const ConfigEntry& entry);

/// Any text but none.
template <std::string DaemonConfig::*Field>
TextOutcome set_any(DaemonConfig& config, const ConfigEntry& entry) {
  if (entry.value.text.empty()) {
    return Complaint{entry.key + " is empty", "give it a value or remove the line"};
  }
  config.*Field = entry.value.text;
  return std::nullopt;
}

}  // namespace ringcast
