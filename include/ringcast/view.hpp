// SPDX-License-Identifier: Apache-2.0
//
// View: the members of a group after an ordered change. Transitional: the signal that
// until the next view only those who stay together promise anything to one another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/names.hpp"

namespace ringcast {

enum class Cause : std::uint8_t { join = 0, leave = 1, disconnect = 2, network = 3 };
std::string_view to_string(Cause cause);

struct View {
  std::string group;
  /// "CONFIGURATION/N", in a transitional configuration "OLD~NEXT/N"; equal ids mean equal views,
  /// at every member.
  std::string id;
  Cause cause{Cause::join};
  std::vector<MemberName> who;      ///< who joined, left or disconnected; empty for network
  std::vector<MemberName> members;  ///< in ring order of daemons, then by name
  std::vector<MemberName>
      with_me;  ///< the receiver and those who came with it from its previous view
};

struct Transitional {
  std::string group;
};

/// The last event of a group the client asked to leave.
struct Left {
  std::string group;
};

}  // namespace ringcast
