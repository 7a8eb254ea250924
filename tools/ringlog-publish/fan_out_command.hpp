// SPDX-License-Identifier: Apache-2.0
//
// `ringlog-publish fan-out`: its command line, then a FanOut. It takes what concerns the
// fan-out; everything else goes to the publisher of each group as it is.
#pragma once

#include <string>
#include <vector>

namespace ringcast::ringlog {

/// Runs it with the arguments behind `fan-out`; the exit code.
int run_fan_out_command(std::vector<std::string> arguments);

}  // namespace ringcast::ringlog
