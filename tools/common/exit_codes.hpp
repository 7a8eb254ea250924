// SPDX-License-Identifier: Apache-2.0
//
// ExitCode: what every ringcast program tells its caller when it ends. The numbers are a
// promise to scripts. Also the one way in which the programs report an error to people.
#pragma once

#include <string_view>

#include "ringcast/error.hpp"

namespace ringcast::tools {

enum class ExitCode : int {
  done = 0,
  failed = 1,       ///< failed while running
  usage = 2,        ///< wrong usage or wrong configuration
  unreachable = 3,  ///< cannot reach the daemon
  timed_out = 4,
};

/// The exit code that fits an error met after the session was open.
ExitCode exit_code_of(const Error& error);
/// The same for an error of Client::connect: no answer in time means unreachable.
ExitCode exit_code_of_connect(const Error& error);

/// Prints "PROGRAM: message" as one line to stderr.
void report(std::string_view program, std::string_view message);

}  // namespace ringcast::tools
