// SPDX-License-Identifier: Apache-2.0
//
// Options: the command line of ringcast_bench_client as values. What it does is decided by the
// first of watch, deaf and crowd that is set; by default it takes part in a run.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "client/adapter.hpp"
#include "client/participant.hpp"

namespace ringcast::bench {

struct Options {
  std::string system{"ringcast"};
  std::string service{"agreed"};
  double warm_up_seconds{1};
  double seconds{5};
  double patience_seconds{20};
  double connect_seconds{30};
  bool list{false};
  bool watch{false};
  bool deaf{false};
  bool churn{false};
  std::size_t crowd{0};
  std::size_t groups{1000};
  Setup setup;
  Load load;
};

void add_options(CLI::App& app, Options& options);
/// Carries over what is given once and needed in several places. Errors: invalid_argument.
Result<void> complete(Options& options);

Clock::duration as_duration(double seconds);

}  // namespace ringcast::bench
