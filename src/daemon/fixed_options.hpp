// SPDX-License-Identifier: Apache-2.0
//
// What a reload cannot change: what sockets were opened with, and what the other daemons and
// the disk know this one by. The rest of a file that changes some of it is applied all the
// same, and what is in force is what every later look shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.hpp"

namespace ringcast {

/// Puts back into `fresh` what cannot change while running, and names what it had changed.
/// REQUIRES: both name the daemon `self`.
std::vector<std::string> keep_fixed(
    DaemonConfig& fresh, const DaemonConfig& running, std::string_view self);

}  // namespace ringcast
