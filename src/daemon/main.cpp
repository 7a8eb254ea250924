// SPDX-License-Identifier: Apache-2.0
//
// ringcastd: the ordering daemon. Flags in, exit code out.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <malloc.h>
#include <string>
#include <unistd.h>

#include "ringcast/version.hpp"

#include "daemon/daemon.hpp"
#include "daemon/logging.hpp"

namespace {

constexpr int exit_failed = 1;
constexpr int exit_wrong = 2;

constexpr const char* footer =
    "\nExample: three daemons on one host, each in its own terminal\n"
    "  ringcastd --config conf/three-nodes.toml --name web1\n"
    "  ringcastd --config conf/three-nodes.toml --name web2\n"
    "  ringcastd --config conf/three-nodes.toml --name web3\n"
    "and how they stand:\n"
    "  ringcast --socket /tmp/ringcast-web1.sock status\n"
    "Without --config it is a ring of one with the default socket.\n"
    "SIGTERM leaves the ring cleanly, SIGHUP reads the file again.\n"
    "Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration.\n";

/// What is wrong with the text, as CLI11 asks for it.
std::string is_level(const std::string& text) {
  if (ringcast::parse_trace_level(text)) return {};
  return "\"" + text + "\" is no level; choose " + std::string(ringcast::trace_levels);
}

// Memory of a burst is kept for the next one: given back to the kernel it would come again page by
// page, at several times the cost of what is written there.
void keep_memory() {
  constexpr int kept_bytes = 32 << 20;  // the most that mallopt() takes everywhere
  (void)::mallopt(M_TRIM_THRESHOLD, kept_bytes);
  (void)::mallopt(M_MMAP_THRESHOLD, kept_bytes);
}

int run(int argc, char** argv) {
  CLI::App app{"ringcastd, the ordering daemon of ringcast"};
  app.footer(footer);
  app.set_version_flag("--version", "ringcastd " + std::string(ringcast::version));
  ringcast::DaemonOptions options;
  std::string level;
  bool check{false};
  auto* config =
      app.add_option("--config", options.config, "configuration file")->type_name("FILE");
  app.add_option("--name", options.name, "which [[daemon]] of the file this is")->type_name("NAME");
  app.add_flag("--check", check, "read and validate the file, then exit")->needs(config);
  app.add_option("--log-level", level, std::string(ringcast::trace_levels) + "; wins over the file")
      ->type_name("LEVEL")
      ->check(is_level);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_wrong;
  }
  if (check) return ringcast::check_configuration(options.config);
  options.log_level = ringcast::parse_trace_level(level);
  keep_memory();
  return ringcast::run_daemon(options);
}

/// A closed standard stream must not become the number of a socket that the log is written to.
void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) (void)::open("/dev/null", O_RDWR);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_streams();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "ringcastd: %s\n", error.what());
    return exit_failed;
  }
}
