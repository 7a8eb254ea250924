// SPDX-License-Identifier: Apache-2.0
//
// ringlog-write: the command line, then a Writer for one file or a Service for a configuration.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/names.hpp"
#include "ringcast/version.hpp"

#include "tools/common/program.hpp"
#include "tools/common/signal_queue.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/ringlog-write/config/config_file.hpp"
#include "tools/ringlog-write/replay_command.hpp"
#include "tools/ringlog-write/service.hpp"
#include "tools/ringlog-write/verify_command.hpp"
#include "tools/ringlog-write/writer.hpp"
#include "tools/ringlog/options.hpp"

namespace {

using ringcast::ringlog::ConfigFile;
using ringcast::ringlog::WriterOptions;
using ringcast::tools::ExitCode;

constexpr auto example =
    "Example: ringlog-write --group weblogs --file /var/log/farm/access.log\n"
    "         ringlog-write --config /etc/ringlog-write.toml --check\n"
    "Also: ringlog-write verify FILE... (are files the same?) and\n"
    "ringlog-write replay --group GROUP (lines of old); each has its own --help.\n"
    "What it promises, its files, sinks and marker lines: docs/logging.md.\n"
    "With --config, SIGHUP reads it again and SIGUSR1 prints figures to stderr; with --file,\n"
    "SIGHUP ends it like SIGTERM.\n"
    "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 cannot reach the daemon.";

int run_service(const ConfigFile& file, const WriterOptions& writer, bool is_check) {
  auto config = file.read();
  if (!config) return static_cast<int>(ExitCode::usage);
  if (is_check) {
    file.tell_ok();
    return static_cast<int>(ExitCode::done);
  }
  if (writer.json && uses_standard_output(*config)) {
    ringcast::tools::report(
        "ringlog-write", "--json and a sink of type stdout both want stdout; leave one out");
    return static_cast<int>(ExitCode::usage);
  }
  ringcast::tools::SignalQueue signals({SIGINT, SIGTERM, SIGHUP, SIGUSR1});
  ringcast::ringlog::ServiceOptions options;
  options.client = writer.client;
  options.connect_timeout = writer.connect_timeout;
  options.json = writer.json;
  options.read = [&file] { return file.read(); };
  ringcast::ringlog::Service service(std::move(options), std::move(*config));
  return static_cast<int>(service.run(signals));
}

int run_writer(WriterOptions options) {
  const ringcast::tools::StopSignal stop;
  ringcast::ringlog::Writer writer(std::move(options));
  return static_cast<int>(writer.run(stop.fd()));
}

struct Arguments {
  WriterOptions writer;
  ConfigFile file;
  std::uint64_t count{0};
  bool is_check{false};
};

void add_options(CLI::App& app, Arguments& arguments) {
  auto& writer = arguments.writer;
  auto* const group = app.add_option("--group", writer.group, "The group whose lines are written")
                          ->check(ringcast::ringlog::log_group);
  auto* const path = app.add_option(
      "--file", writer.path, "The file; PATH.position and PATH.pending-* lie beside it");
  auto* const adopt =
      app.add_flag("--adopt", writer.adopt, "Append to an existing file that has no PATH.position");
  auto* const keep_bytes = ringcast::ringlog::add_size(
      app,
      "--keep-bytes",
      writer.keep.bytes,
      {ringcast::ringlog::keep_bytes_min, ringcast::ringlog::keep_bytes_max},
      "Keep the newest bytes of the file, and release what is older (all)");
  auto* const keep_time = ringcast::ringlog::add_duration(
      app, "--keep-time", writer.keep.time, "Keep what was written within that time (all)");
  auto* const count =
      app.add_option("--count", arguments.count, "Leave once at least this many lines were written")
          ->check(CLI::PositiveNumber);
  auto* const config = app.add_option(
      "--config",
      arguments.file.config,
      "A TOML file of groups and sinks (conf/ringlog-write.toml)");
  auto* const compat = app.add_option(
      "--compat",
      arguments.file.compat,
      "A configuration of spreadlogd 2, such as /etc/spreadlogd.conf");
  app.add_option(
         "--state", arguments.file.state, "With --compat: where journals lie (/var/lib/ringlog)")
      ->needs(compat);
  app.add_flag("--check", arguments.is_check, "Only read the configuration: its problems, or ok");
  keep_bytes->needs(path);
  keep_time->needs(path);
  group->needs(path);
  path->needs(group);
  for (auto* const alone : {group, path, adopt, count, keep_bytes, keep_time}) {
    config->excludes(alone);
    compat->excludes(alone);
  }
  config->excludes(compat);
  ringcast::ringlog::add_client_options(app, writer.client);
  ringcast::ringlog::add_duration(
      app,
      "--connect-timeout",
      writer.connect_timeout,
      "Exit 3 when no daemon answers that long at the start (5s)");
  app.add_flag("--json", writer.json, "Print the summary as JSON to stdout");
}

int run(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "verify") return ringcast::ringlog::verify_command(argc - 1, argv + 1);
  if (word == "replay") return ringcast::ringlog::replay_command(argc - 1, argv + 1);
  Arguments arguments;
  CLI::App app(
      "Writes the log lines of groups to files and other sinks, each exactly once.",
      "ringlog-write");
  app.footer(example);
  app.set_version_flag("--version", "ringlog-write " + std::string(ringcast::version));
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
    const bool is_service = !arguments.file.config.empty() || !arguments.file.compat.empty();
    if (!is_service && arguments.writer.path.empty()) {
      throw CLI::RequiredError("--group and --file, or --config");  // CLI11's way of refusing
    }
    if (!is_service && arguments.is_check) {
      throw CLI::RequiredError("--check: --config or --compat");
    }
  } catch (const CLI::ParseError& error) {
    return ringcast::ringlog::exit_code_of(app, error);
  }
  if (arguments.count > 0) arguments.writer.count = arguments.count;
  (void)std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a write error like any other
  if (!arguments.writer.path.empty()) return run_writer(std::move(arguments.writer));
  return run_service(arguments.file, arguments.writer, arguments.is_check);
}

}  // namespace

int main(int argc, char** argv) {
  return ringcast::tools::run_program("ringlog-write", [&] { return run(argc, argv); });
}
