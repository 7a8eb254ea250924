// SPDX-License-Identifier: Apache-2.0
//
// Daemon: one run of ringcastd. Reads the configuration, finds out which daemon it is, builds
// the driver, answers signals and tells the service manager how it is doing.
#pragma once

#include <optional>
#include <string>

#include "daemon/config.hpp"
#include "protocol/base/trace.hpp"

namespace ringcast {

struct DaemonOptions {
  std::string config;                   ///< path; empty: a ring of one
  std::string name;                     ///< --name
  std::optional<TraceLevel> log_level;  ///< --log-level
};

/// --check: prints "FILE: ok" or every problem. Returns the exit code, 0 or 2.
int check_configuration(const std::string& file);

/// Runs until a signal. Returns the exit code: 0, 1 or 2.
int run_daemon(const DaemonOptions& options);

}  // namespace ringcast
