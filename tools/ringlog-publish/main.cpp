// SPDX-License-Identifier: Apache-2.0
//
// ringlog-publish: the command line, then a Publisher; or `spool`, for what lies in a spool; or
// `fan-out`, a publisher for each group.
#include <string>
#include <vector>

#include "tools/common/program.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-publish/command_line.hpp"
#include "tools/ringlog-publish/fan_out_command.hpp"
#include "tools/ringlog-publish/publisher.hpp"
#include "tools/ringlog-publish/spool_commands.hpp"

namespace {

int run(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "spool") {
    return ringcast::ringlog::run_spool_command({arguments.begin() + 1, arguments.end()});
  }
  if (!arguments.empty() && arguments.front() == "fan-out") {
    return ringcast::ringlog::run_fan_out_command({arguments.begin() + 1, arguments.end()});
  }
  auto command = ringcast::ringlog::parse_command_line(arguments);
  if (command.exit_code) return *command.exit_code;
  const ringcast::tools::StopSignal stop;
  ringcast::ringlog::Publisher publisher(std::move(command.options));
  return static_cast<int>(publisher.run(stop.fd()));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ringcast::tools::run_program("ringlog-publish", [&] { return run(arguments); });
}
