// SPDX-License-Identifier: Apache-2.0
//
// What directed tests of groups share: daemons that start together, and a client's events told
// in words.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/groups/world.hpp"

namespace ringcast::test {

using Story = std::vector<std::string>;

/// `count` daemons in one configuration; names in ring order.
inline std::vector<std::string> start_together(World& world, std::size_t count) {
  std::vector<std::string> names{"ant", "bee", "cat", "dog"};
  names.resize(count);
  std::sort(names.begin(), names.end(), [](const std::string& left, const std::string& right) {
    return node_id(left) < node_id(right);
  });
  world.start(names);
  world.reform(names);
  world.run();
  return names;
}

/// What was told since the client had seen `before` events.
inline Story since(const Client& client, std::size_t before) {
  auto story = client.story();
  story.erase(story.begin(), story.begin() + static_cast<std::ptrdiff_t>(before));
  return story;
}

}  // namespace ringcast::test
