// SPDX-License-Identifier: Apache-2.0
//
// CommandLine: what ringlog-publish was asked to do, by its arguments and by the file that
// --config names. Every option may stand in either; the command line wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-publish/publisher.hpp"

namespace ringcast::ringlog {

struct CommandLine {
  /// Nothing is to be run: --help, --version, --check, or something is wrong.
  std::optional<int> exit_code;
  PublisherOptions options;
};

/// Prints what --help, --version and --check ask for, and errors to stderr.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace ringcast::ringlog
