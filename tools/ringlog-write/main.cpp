// SPDX-License-Identifier: Apache-2.0
//
// ringlog-write: the command line, then a Writer.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <string>

#include "ringcast/names.hpp"
#include "ringcast/version.hpp"

#include "tools/common/program.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-write/writer.hpp"
#include "tools/ringlog/options.hpp"

namespace {

using ringcast::ringlog::WriterOptions;

constexpr auto example =
    "Example: ringlog-write --group weblogs --file /var/log/farm/access.log\n"
    "What it promises, its sidecar and its marker lines: docs/logging.md.\n"
    "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 cannot reach the daemon.";

int run(int argc, char** argv) {
  WriterOptions options;
  std::uint64_t count = 0;
  CLI::App app("Writes the log lines of a group to a file, each exactly once.", "ringlog-write");
  app.footer(example);
  app.set_version_flag("--version", "ringlog-write " + std::string(ringcast::version));
  app.add_option("--group", options.group, "The group whose lines are written")
      ->required()
      ->check(ringcast::ringlog::log_group);
  app.add_option("--file", options.path, "The file; PATH.position and PATH.pending-* lie beside it")
      ->required();
  ringcast::ringlog::add_client_options(app, options.client);
  app.add_flag("--adopt", options.adopt, "Append to an existing file that has no PATH.position");
  app.add_option("--count", count, "Leave once at least this many lines were written")
      ->check(CLI::PositiveNumber);
  ringcast::ringlog::add_duration(
      app,
      "--connect-timeout",
      options.connect_timeout,
      "Exit 3 when no daemon answers that long at the start (5s)");
  app.add_flag("--json", options.json, "Print the summary as JSON to stdout");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ringcast::ringlog::exit_code_of(app, error);
  }
  if (count > 0) options.count = count;
  (void)std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a write error like any other
  const ringcast::tools::StopSignal stop;
  ringcast::ringlog::Writer writer(std::move(options));
  return static_cast<int>(writer.run(stop.fd()));
}

}  // namespace

int main(int argc, char** argv) {
  return ringcast::tools::run_program("ringlog-write", [&] { return run(argc, argv); });
}
