// SPDX-License-Identifier: Apache-2.0
//
// The command line of the fan-out.
#include "tools/ringlog-publish/fan_out_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-publish/fan_out.hpp"
#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t groups_max_max = 4096;
constexpr auto footer =
    "Example: started by the Apache module mod_log_ringcast; see docs/logging.md.\n"
    "All other options are those of ringlog-publish and go to each of the publishers.";

}  // namespace

int run_fan_out_command(std::vector<std::string> arguments) {
  FanOutOptions options;
  options.program = "/proc/self/exe";
  options.overflow_group = "_other";
  CLI::App app(
      "Reads lines with their group, framed, from a pipe on stdin, and starts a ringlog-publish "
      "for "
      "each group.",
      "ringlog-publish fan-out");
  app.footer(footer);
  app.allow_extras();
  app.add_option("--groups-max", options.groups_max, "Most groups named by the network")
      ->check(CLI::Range(std::size_t{1}, groups_max_max))
      ->capture_default_str();
  app.add_option("--overflow-group", options.overflow_group, "The group of lines beyond")
      ->check(log_group)
      ->capture_default_str();
  app.add_option(
         "--spool", options.spool_directory, "Each group's publisher has its spool in DIR/GROUP")
      ->type_name("DIR");
  add_duration(app, "--linger", options.linger, "Pause between two looks at the pipe (100ms)");
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes the last one first
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return exit_code_of(app, error);
  }
  options.arguments = app.remaining();
  const tools::StopSignal stop;
  return static_cast<int>(FanOut(std::move(options)).run(stop.fd()));
}

}  // namespace ringcast::ringlog
