// SPDX-License-Identifier: Apache-2.0
//
// The frame around every tool's work.
#include "tools/common/program.hpp"

#include <csignal>
#include <exception>

#include "tools/common/exit_codes.hpp"
#include "tools/common/standard_streams.hpp"

namespace ringcast::tools {

int run_program(std::string_view program, const std::function<int()>& work) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  fill_standard_streams();
  try {
    return work();
  } catch (const std::exception& error) {
    report(program, error.what());
    return static_cast<int>(ExitCode::failed);
  }
}

}  // namespace ringcast::tools
