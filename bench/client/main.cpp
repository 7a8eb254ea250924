// SPDX-License-Identifier: Apache-2.0
//
// ringcast_bench_client: one client of a comparison. It prints JSON lines: when it is ready, and
// what it measured. compare.sh starts it; --help tells how to do so by hand.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <unistd.h>

#include "client/adapters.hpp"
#include "client/commands.hpp"
#include "client/crowd.hpp"
#include "client/options.hpp"
#include "client/participant.hpp"
#include "client/report.hpp"
#include "client/watcher.hpp"

namespace ringcast::bench {
namespace {

constexpr int connect_pause_ms = 5;

/// A daemon that was started just now needs a moment.
Opened open_within(const Options& options, const Setup& setup, Sink& sink) {
  const auto end = Clock::now() + as_duration(options.connect_seconds);
  for (;;) {
    auto adapter = open_adapter(options.system, setup, sink);
    if (adapter.ok() || Clock::now() >= end || adapter.error().code == Errc::invalid_argument) {
      return adapter;
    }
    ::poll(nullptr, 0, connect_pause_ms);
  }
}

void wait_for_end_of_input() {
  char byte{0};
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

Result<void> take_part(const Options& options) {
  Participant participant(options.load);
  auto adapter = open_within(options, options.setup, participant);
  if (!adapter.ok()) return adapter.error();
  auto start = participant.introduce(**adapter, STDIN_FILENO);
  if (!start.ok()) return start.error();
  auto outcome = participant.run(**adapter, *start);
  if (!outcome.ok()) return outcome.error();
  report(*outcome, participant.verifier());
  // Whoever leaves changes the group, and others may not have all yet: stay until told to go.
  wait_for_end_of_input();
  return {};
}

Result<void> watch(const Options& options) {
  Watcher watcher;
  auto adapter = open_within(options, options.setup, watcher);
  if (!adapter.ok()) return adapter.error();
  if (!options.deaf) return Watcher::watch(**adapter, STDIN_FILENO);
  Watcher::be_deaf(STDIN_FILENO);
  return {};
}

Result<void> crowd(const Options& options) {
  Crowd crowd(options.crowd, options.groups);
  const auto began = Clock::now();
  auto opened = crowd.open([&options](const std::string& group, Sink& sink) {
    auto setup = options.setup;
    setup.group = group;
    return open_within(options, setup, sink);
  });
  if (!opened.ok()) return opened;
  const auto seconds_since = [](Clock::time_point moment) {
    return std::chrono::duration<double>(Clock::now() - moment).count();
  };
  std::cout << R"({"event":"crowd","sessions":)" << options.crowd << R"(,"seconds":)"
            << seconds_since(began) << "}" << std::endl;
  if (!options.churn) return crowd.rest(STDIN_FILENO);
  CommandReader commands(STDIN_FILENO);
  Result<std::optional<Clock::time_point>> start = std::optional<Clock::time_point>{};
  while (start.ok() && !start->has_value()) {
    pollfd command{STDIN_FILENO, POLLIN, 0};
    ::poll(&command, 1, -1);
    start = commands.read_start();
  }
  if (!start.ok()) return start.error();
  const auto changing = Clock::now();
  auto changes = crowd.churn(changing + options.load.measured);
  if (!changes.ok()) return changes.error();
  std::cout << R"({"event":"churned","changes":)" << *changes << R"(,"seconds":)"
            << seconds_since(changing) << "}" << std::endl;
  return crowd.rest(STDIN_FILENO);
}

int run(Options options) {
  // The default lets the kernel wake us 50 us late, which would be half of what is measured.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  auto done = complete(options);
  if (done.ok()) {
    done = options.watch || options.deaf ? watch(options)
           : options.crowd > 0           ? crowd(options)
                                         : take_part(options);
  }
  if (done.ok()) return 0;
  std::cerr << "ringcast_bench_client: " << done.error().message << '\n';
  return 1;
}

}  // namespace
}  // namespace ringcast::bench

int main(int argc, char** argv) {
  CLI::App app{"One client of ringcast's comparison with other systems (see bench/README.md)."};
  ringcast::bench::Options options;
  ringcast::bench::add_options(app, options);
  if (argc == 2 && std::string_view(argv[1]) == "--systems") {
    for (const auto& system : ringcast::bench::systems()) {
      std::cout << system.name << '\n';
    }
    return 0;
  }
  CLI11_PARSE(app, argc, argv);
  return ringcast::bench::run(options);
}
