// SPDX-License-Identifier: Apache-2.0
//
// Configuration: the daemons of one ring, as clients see it. A regular configuration is
// named by a ring sequence, its representative and that daemon's boot id; the name is
// never used twice.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

namespace ringcast {

struct ConfigurationId {
  std::uint64_t seq{0};
  std::string representative;
  std::uint32_t boot{0};

  auto operator<=>(const ConfigurationId&) const = default;
};

/// "SEQ.NAME.BOOT", BOOT as 8 hex digits: "17.web1.5f0c9a31".
std::string to_string(const ConfigurationId& id);
/// The inverse of to_string. Errors: invalid_argument.
Result<ConfigurationId> parse_configuration_id(std::string_view text);

/// A regular configuration was installed and its group state is complete. Sent to a client
/// once after connecting, and before any message or view of a later configuration.
struct Configuration {
  ConfigurationId id;
  std::vector<std::string> daemons;     ///< members, in ring order
  std::vector<std::string> configured;  ///< every daemon of the configuration file, sorted

  /// True when `daemons` holds more than half of `configured`, or exactly half with the one
  /// whose name is the lowest: of two halves one has the majority, and never both.
  [[nodiscard]] bool has_majority() const {
    if (2 * daemons.size() != configured.size()) return 2 * daemons.size() > configured.size();
    return !configured.empty() &&
           std::find(daemons.begin(), daemons.end(), configured.front()) != daemons.end();
  }
};

}  // namespace ringcast
