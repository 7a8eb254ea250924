// SPDX-License-Identifier: Apache-2.0
//
// What only a whole configuration can tell: daemons that collide, options that contradict
// one another, paths that are too long once a name is put in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.hpp"

namespace ringcast {

/// What could be read at all; the rest has been complained about and is not judged again.
struct Known {
  bool daemons{true};
  bool numbers{true};
};

std::vector<ConfigProblem> check_config(const DaemonConfig& config, const Known& known);

}  // namespace ringcast
