// SPDX-License-Identifier: Apache-2.0
//
// What the main() of every tool sees to before and after its work.
#pragma once

#include <functional>
#include <string_view>

namespace ringcast::tools {

/// Runs `work` with three standard streams that are there and with SIGPIPE ignored: a reader
/// that goes away is seen as EPIPE where it matters. Returns what it returns: the exit code. An
/// exception that comes this far is reported and is a failure.
int run_program(std::string_view program, const std::function<int()>& work);

}  // namespace ringcast::tools
