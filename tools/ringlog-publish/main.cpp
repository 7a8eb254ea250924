// SPDX-License-Identifier: Apache-2.0
//
// ringlog-publish: the command line, then a Publisher.
#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <unistd.h>

#include "ringcast/version.hpp"

#include "tools/common/exit_codes.hpp"
#include "tools/common/program.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-publish/publisher.hpp"
#include "tools/ringlog/options.hpp"
#include "tools/ringlog/record.hpp"

namespace {

using ringcast::ringlog::PublisherOptions;
using ringcast::tools::ExitCode;

constexpr auto example =
    "Example: CustomLog \"|/usr/bin/ringlog-publish --group weblogs\" combined\n"
    "         ringlog-publish --group weblogs --tail '/var/log/nginx/*.log'\n"
    "What it promises and what it costs: docs/logging.md.\n"
    "Exit codes: 0 done, 1 failed, or lines were dropped or lost, 2 wrong usage, 3 cannot reach "
    "the\n"
    "daemon, 4 timed out.";

constexpr int patterns_max = 65536;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string default_state() {
  if (auto directory = variable("STATE_DIRECTORY"); !directory.empty()) return directory;
  if (::geteuid() == 0) return "/var/lib/ringlog";
  if (const auto directory = variable("XDG_STATE_HOME"); !directory.empty()) {
    return directory + "/ringlog";
  }
  return variable("HOME") + "/.local/state/ringlog";
}

void add_input_options(CLI::App& app, PublisherOptions& options) {
  auto* const tail =
      app.add_option("--tail", options.patterns, "Follow the files that match, not stdin")
          ->type_name("GLOB")
          ->expected(1, patterns_max)
          ->allow_extra_args(false);  // or CLI11 takes "[ab]" for a list
  app.add_flag("--once", options.once, "With --tail: end at the end of the files")->needs(tail);
  options.state_directory = default_state();
  app.add_option(
         "--state",
         options.state_directory,
         "With --tail: where it is remembered how far each file is")
      ->type_name("DIR")
      ->capture_default_str()
      ->needs(tail);
  app.add_option("--spool", options.spool_directory, "Where lines wait when memory is full")
      ->type_name("DIR")
      ->excludes(tail);
}

void add_limits(CLI::App& app, PublisherOptions& options) {
  using ringcast::ringlog::add_duration;
  using ringcast::ringlog::add_size;
  add_size(
      app,
      "--spool-max",
      options.spool_bytes_max,
      {std::uint64_t{1} << 20U, std::uint64_t{1} << 40U},
      "Most bytes in the spool (1G)");
  add_size(
      app,
      "--memory",
      options.memory_bytes_max,
      {std::uint64_t{1} << 20U, std::uint64_t{1} << 36U},
      "Most bytes waiting in memory (64M)");
  add_size(
      app,
      "--max-line",
      options.line_bytes_max,
      {1, ringcast::ringlog::line_bytes_max},
      "Longest line in bytes; longer ones are reported, not sent (64k)");
  add_duration(
      app,
      "--max-block",
      options.max_block,
      "Longest pause of a full pipe before lines are dropped (100ms)");
  add_duration(
      app,
      "--flush-timeout",
      options.flush_timeout,
      "Longest wait for confirmations after SIGTERM (5s)");
  add_duration(
      app,
      "--connect-timeout",
      options.connect_timeout,
      "Once the input is over: exit 3 when no daemon was reached within this time (5s)");
}

int run(int argc, char** argv) {
  PublisherOptions options;
  std::chrono::milliseconds timeout{0};
  CLI::App app("Publishes log lines to a group and loses none of them.", "ringlog-publish");
  app.footer(example);
  app.set_version_flag("--version", "ringlog-publish " + std::string(ringcast::version));
  app.add_option("--group", options.group, "The group the lines are sent to")
      ->required()
      ->check(ringcast::ringlog::log_group);
  ringcast::ringlog::add_client_options(app, options.client);
  add_input_options(app, options);
  add_limits(app, options);
  ringcast::ringlog::add_duration(
      app,
      "--timeout",
      timeout,
      "Once the input is over: wait at most this long for confirmations, then exit 4 (for ever)");
  app.add_flag("--json", options.json, "Print the summary as JSON to stdout");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ringcast::ringlog::exit_code_of(app, error);
  }
  if (app.count("--timeout") > 0) options.timeout = timeout;
  if (options.memory_bytes_max / 4 < options.line_bytes_max) {
    ringcast::tools::report(
        "ringlog-publish", "--memory must be at least four times --max-line; raise it");
    return static_cast<int>(ExitCode::usage);
  }
  options.name = options.client.name.empty() ? host_name() : options.client.name;
  const ringcast::tools::StopSignal stop;
  ringcast::ringlog::Publisher publisher(std::move(options));
  return static_cast<int>(publisher.run(stop.fd()));
}

}  // namespace

int main(int argc, char** argv) {
  return ringcast::tools::run_program("ringlog-publish", [&] { return run(argc, argv); });
}
