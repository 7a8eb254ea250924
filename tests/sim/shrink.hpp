// SPDX-License-Identifier: Apache-2.0
//
// Shrinking: a failing run is made smaller as long as it fails in the same way. What fails is
// asked of a predicate, so that it may be a run, or a rule in a test.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include "sim/story.hpp"

namespace ringcast::sim {

/// Delta debugging: leaves items out, in halves first, then in ever smaller pieces, as long as
/// `fails` says so of the rest. ENSURES: without any one of the remaining items it does not fail,
/// unless `fails` gave up. REQUIRES: fails(items).
template <class T, class Fails>
std::vector<T> minimise(std::vector<T> items, const Fails& fails) {
  std::size_t pieces = 2;
  while (!items.empty()) {
    pieces = std::min(pieces, items.size());
    bool smaller = false;
    for (std::size_t piece = 0; piece < pieces && !smaller; ++piece) {
      const auto edge = [&](std::size_t which) {
        return items.begin() + static_cast<std::ptrdiff_t>(items.size() * which / pieces);
      };
      std::vector<T> rest(items.begin(), edge(piece));
      rest.insert(rest.end(), edge(piece + 1), items.end());
      if (!fails(rest)) continue;
      items = std::move(rest);
      smaller = true;
    }
    if (smaller) {
      pieces = std::max<std::size_t>(2, pieces - 1);
    } else if (pieces == items.size()) {
      break;
    } else {
      pieces *= 2;
    }
  }
  return items;
}

struct ShrinkLimits {
  std::size_t runs_max{400};
};

struct Shrunk {
  Story story;
  std::size_t runs{0};
};

/// `story` with a schedule, smaller in nodes, fault classes, operations, clients and time.
/// REQUIRES: fails(story). `nodes` and `clients`: what the run has where the story says nothing.
Shrunk shrink(
    Story story,
    std::size_t nodes,
    std::size_t clients,
    const std::function<bool(const Story&)>& fails,
    const ShrinkLimits& limits);

}  // namespace ringcast::sim
