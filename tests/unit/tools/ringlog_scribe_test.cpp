// SPDX-License-Identifier: Apache-2.0
//
// Whole writers under one order: whatever is killed, cut off and merged, in the end all files
// are the same, byte for byte, and hold each line once.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/tools/writers_network.hpp"

using namespace ringcast::ringlog;

namespace {

std::vector<std::string> data_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    const auto line = text.substr(at, end - at);
    if (!line.starts_with("#ringlog-")) lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

void check_end(WritersNetwork& network, const std::vector<std::string>& writers) {
  INFO(network.story());
  REQUIRE(network.settle());
  const auto first = network.file(writers.front());
  for (const auto& writer : writers) {
    REQUIRE(network.file(writer) == first);
  }
  auto lines = data_lines(first);
  std::sort(lines.begin(), lines.end());
  REQUIRE(std::adjacent_find(lines.begin(), lines.end()) == lines.end());
  std::vector<std::string> missing;
  std::set_difference(
      network.lines().begin(),
      network.lines().end(),
      lines.begin(),
      lines.end(),
      std::back_inserter(missing));
  CAPTURE(missing);
  REQUIRE(missing.empty());
  REQUIRE(lines.size() == network.lines().size());
  REQUIRE(network.pending_files().empty());
}

struct Plan {
  std::vector<std::string> daemons;
  std::map<std::string, std::string> writers;  // on which daemon
  bool kills{false};
};

void split_at_random(WritersNetwork& network, const Plan& plan) {
  std::map<std::string, int> parts;
  for (const auto& daemon : plan.daemons) {
    parts[daemon] = static_cast<int>(network.any(3) == 0 ? network.any(3) : 0);
  }
  network.reconfigure(parts);
}

// Only where the others are in step and one of them has read all that this one may not have: at
// all times a writer is there where there is a majority.
void kill_at_random(WritersNetwork& network, const Plan& plan) {
  auto it = plan.writers.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(network.any(plan.writers.size())));
  const auto& name = it->first;
  bool has_witness = false;
  for (const auto& [other, daemon] : plan.writers) {
    if (other == name || !network.is_running(name)) continue;
    if (network.are_together(name, other)) network.drain(other);
    if (!network.is_live(other)) return;
    has_witness = has_witness || network.are_together(name, other);
  }
  if (has_witness) network.kill_writer(name);
}

void run(const Plan& plan, std::uint64_t seed) {
  WritersNetwork network(seed, plan.daemons);
  std::vector<std::string> writers;
  for (const auto& [name, daemon] : plan.writers) {
    network.start_writer(name, daemon);
    writers.push_back(name);
  }
  for (const auto& daemon : plan.daemons) {
    network.add_publisher(daemon);
  }
  for (int i = 0; i < 100; ++i) {
    network.step();
  }
  for (int round = 0; round < 1500; ++round) {
    network.step();
    if (network.any(10) == 0) network.publish(network.any(plan.daemons.size()), 1 + network.any(5));
    if (network.any(150) == 0) split_at_random(network, plan);
    if (plan.kills && network.any(150) == 0) kill_at_random(network, plan);
    for (const auto& [name, daemon] : plan.writers) {
      if (!network.is_running(name) && network.any(100) == 0) network.start_writer(name, daemon);
    }
  }
  std::map<std::string, int> together;
  for (const auto& daemon : plan.daemons) {
    together[daemon] = 0;
  }
  network.reconfigure(together);
  for (const auto& [name, daemon] : plan.writers) {
    if (!network.is_running(name)) network.start_writer(name, daemon);
  }
  check_end(network, writers);
}

}  // namespace

TEST_CASE("a writer that was killed fetches what it missed", "[ringlog]") {
  WritersNetwork network(1, {"a", "b", "c"});
  network.start_writer("one", "a");
  network.start_writer("two", "b");
  network.add_publisher("c");
  network.publish(0, 5);
  check_end(network, {"one", "two"});
  network.kill_writer("two");
  network.publish(0, 500);
  check_end(network, {"one"});
  network.start_writer("two", "b");
  network.publish(0, 5);
  check_end(network, {"one", "two"});
  CHECK(network.file("one").find('#') == std::string::npos);
}

TEST_CASE("whatever the network does, files end alike and complete", "[ringlog]") {
  const auto seed = GENERATE(range(1, 60));
  CAPTURE(seed);
  run({{"a", "b", "c"}, {{"one", "a"}, {"two", "b"}}, false}, static_cast<std::uint64_t>(seed));
}

TEST_CASE("whatever is killed, files end alike and complete", "[ringlog]") {
  const auto seed = GENERATE(range(1, 60));
  CAPTURE(seed);
  run({{"a", "b", "c"}, {{"one", "a"}, {"two", "b"}, {"three", "c"}}, true},
      static_cast<std::uint64_t>(seed));
}

TEST_CASE("of four daemons and writers the half with the lowest name goes on", "[ringlog]") {
  const auto seed = GENERATE(range(1, 40));
  CAPTURE(seed);
  run({{"a", "b", "c", "d"}, {{"one", "a"}, {"two", "b"}, {"three", "c"}, {"four", "d"}}, true},
      static_cast<std::uint64_t>(seed));
}
