// SPDX-License-Identifier: Apache-2.0
//
// ringcast, the everyday tool: reads the command line and runs one command. Anything wrong
// with the command line ends with exit code 2 and a remedy.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ringcast/version.hpp"

#include "tools/common/program.hpp"
#include "tools/ringcast/commands.hpp"

namespace ringcast::tools {
namespace {

void add_global_options(CLI::App& app, GlobalOptions& globals) {
  app.set_version_flag("--version", "ringcast " + std::string(version));
  auto* const socket =
      app.add_option("--socket", globals.socket, "the daemon's socket [" + default_socket() + "]");
  app.add_option("--server", globals.server, "HOST:PORT of a daemon that takes clients over TCP")
      ->excludes(socket);
  app.add_option("--as", globals.name, "name of this client [the daemon makes one up]")
      ->check(check_word_text);
  app.add_flag("--json", globals.json, "print each event as one JSON object on one line");
  app.require_subcommand(1);
  // The global options may also stand behind the command.
  app.fallthrough();
  app.footer(
      "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 cannot reach the daemon,\n"
      "4 timed out. `ringcast COMMAND --help` explains a command.\n"
      "Example:\n"
      "  ringcast subscribe weblogs                      (in one terminal)\n"
      "  ringcast publish weblogs \"hello everybody\"      (in another)");
}

int exit_code(ExitCode code) { return static_cast<int>(code); }

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  report(program, std::string(error.what()));
  report(program, "run `ringcast" + command + " --help` to see how it is used");
  return exit_code(ExitCode::usage);
}

int run(std::span<char* const> argv) {
  CLI::App app{"Reliable, totally ordered group messages: send, receive, look.", "ringcast"};
  Invocation invocation;
  add_global_options(app, invocation.globals);
  add_publish(app, invocation);
  add_subscribe(app, invocation);
  add_join(app, invocation);
  add_status(app, invocation);
  add_members(app, invocation);
  add_groups(app, invocation);
  add_watch(app, invocation);
  try {
    app.parse(shielded(argv.subspan(argv.empty() ? 0 : 1)));
  } catch (const CLI::ParseError& error) {
    // --help and --version arrive here too, with code 0.
    if (error.get_exit_code() == 0) return app.exit(error);
    return usage_error(app, error);
  }
  return exit_code(invocation.run());
}

}  // namespace
}  // namespace ringcast::tools

int main(int argc, char** argv) {
  return ringcast::tools::run_program(ringcast::tools::program, [&] {
    return ringcast::tools::run({argv, static_cast<std::size_t>(argc)});
  });
}
