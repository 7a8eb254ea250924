// SPDX-License-Identifier: Apache-2.0
//
// `ringlog-publish spool ls|cat|verify|repair DIR`: what lies in a spool, and what can be saved
// of a damaged one. Only repair changes anything, and only while nobody spools there.
#pragma once

#include <string>
#include <vector>

namespace ringcast::ringlog {

/// The exit code; output on stdout, errors on stderr.
int run_spool_command(std::vector<std::string> arguments);

}  // namespace ringcast::ringlog
