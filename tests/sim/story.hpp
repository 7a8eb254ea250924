// SPDX-License-Identifier: Apache-2.0
//
// Story: a run in a small text file, as the shrinker leaves it and as regressions are kept.
//
//   # why it is kept
//   plan partition
//   seed 8
//   nodes 3                  these four only when they differ from what the seed draws
//   clients 2
//   faults loss crash        the classes that stay on; `faults` alone: none
//   duration 1500ms
//   invariant L1             what it violated
//   schedule                 nothing happens but what follows
//   at 0.000000ms link *->* loss 0.2
//   at 812.100000ms crash d1
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ringcast/error.hpp"

#include "sim/simulation.hpp"

namespace ringcast::sim {

struct Story {
  RunOptions options;
  std::string invariant;  ///< may be empty
};

std::string to_text(const Story& story);
/// Errors: invalid_argument naming the line.
Result<Story> parse_story(std::string_view text);
Result<Story> read_story(const std::string& path);

/// "3 nodes, 2 clients, 1500ms, 4 operations", as far as the story says.
std::string describe(const Story& story);

}  // namespace ringcast::sim
