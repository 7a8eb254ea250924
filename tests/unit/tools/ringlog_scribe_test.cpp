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
  std::string witness{};  // a writer in step, from each majority to the next
  bool is_brief{false};   // all are together again before a writer gives another one up
};

// One is the beginning of the other, whichever two are looked at.
void check_prefixes(const WritersNetwork& network, const Plan& plan) {
  INFO(network.story());
  std::string longest;
  for (const auto& [name, daemon] : plan.writers) {
    const auto file = network.file(name);
    const auto [here, there] = std::mismatch(
        file.begin(),
        file.begin() + static_cast<std::ptrdiff_t>(std::min(file.size(), longest.size())),
        longest.begin());
    const auto alike = static_cast<std::size_t>(here - file.begin());
    INFO(
        name << " has " << file.substr(alike, 200) << " and another "
             << longest.substr(alike, 200));
    REQUIRE(alike == std::min(file.size(), longest.size()));
    if (file.size() > longest.size()) longest = file;
  }
}

void split_at_random(WritersNetwork& network, const Plan& plan) {
  std::map<std::string, int> parts;
  for (const auto& daemon : plan.daemons) {
    parts[daemon] = static_cast<int>(network.any(3) == 0 ? network.any(3) : 0);
  }
  if (!plan.witness.empty()) {
    network.drain(plan.witness);
    if (!network.is_live(plan.witness)) return;
    for (auto& [daemon, part] : parts) {
      part = 0;
    }
    auto alone = parts.begin();
    std::advance(alone, static_cast<std::ptrdiff_t>(network.any(parts.size())));
    if (alone->first != plan.writers.at(plan.witness)) alone->second = 1;
  }
  network.reconfigure(parts);
}

void join_all(WritersNetwork& network, const Plan& plan) {
  std::map<std::string, int> together;
  for (const auto& daemon : plan.daemons) {
    together[daemon] = 0;
  }
  network.reconfigure(together);
}

// Only where the others are in step and one of them has read all that this one may not have: at
// all times a writer is there where there is a majority.
void kill_at_random(WritersNetwork& network, const Plan& plan) {
  auto it = plan.writers.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(network.any(plan.writers.size())));
  const auto& name = it->first;
  if (name == plan.witness) return;
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
    if (network.any(plan.is_brief ? 60 : 150) == 0) split_at_random(network, plan);
    if (plan.is_brief && round % 200 == 0) join_all(network, plan);
    if (plan.kills && network.any(150) == 0) kill_at_random(network, plan);
    for (const auto& [name, daemon] : plan.writers) {
      if (!network.is_running(name) && network.any(100) == 0) network.start_writer(name, daemon);
    }
    const bool are_prefixes = !plan.witness.empty() || plan.is_brief;
    if (are_prefixes && round % 10 == 0) check_prefixes(network, plan);
  }
  join_all(network, plan);
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

TEST_CASE("at a merge the majority stands first, then segments by configuration", "[ringlog]") {
  WritersNetwork network(1, {"a", "b", "c"});
  network.start_writer("one", "a");
  network.start_writer("two", "c");
  network.add_publisher("a");
  network.add_publisher("c");
  const auto work = [&] {
    for (int i = 0; i < 3000; ++i) {
      network.step();
    }
  };
  work();
  const std::map<std::string, int> split{{"a", 0}, {"b", 0}, {"c", 1}};
  for (int round = 0; round < 2; ++round) {
    network.reconfigure(split);
    network.publish(0, 2);
    network.publish(1, 2);
    work();
  }
  CHECK(network.pending_files().size() == 2);
  network.reconfigure({{"a", 0}, {"b", 0}, {"c", 0}});
  check_end(network, {"one", "two"});
  const auto file = network.file("one");
  std::vector<std::size_t> places;
  for (const auto* text : {"p2:1\n", "p2:4\n", "#ringlog-merged", "p3:1\np3:2\n"}) {
    places.push_back(file.find(text));
  }
  places.push_back(file.find("#ringlog-merged", places.back()));
  places.push_back(file.find("p3:3\np3:4\n"));
  CAPTURE(file);
  CHECK(places.back() != std::string::npos);
  CHECK(std::is_sorted(places.begin(), places.end()));
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

TEST_CASE("where a writer stays with the majority files are prefixes at all times", "[ringlog]") {
  const auto seed = GENERATE(range(1, 60));
  CAPTURE(seed);
  run({{"a", "b", "c"}, {{"one", "a"}, {"two", "b"}, {"three", "c"}}, true, "two"},
      static_cast<std::uint64_t>(seed));
}

TEST_CASE("where nobody stays away for long files are prefixes at all times", "[ringlog]") {
  const auto seed = GENERATE(range(1, 60));
  CAPTURE(seed);
  run({{"a", "b", "c"}, {{"one", "a"}, {"two", "b"}, {"three", "c"}}, false, "", true},
      static_cast<std::uint64_t>(seed));
}

TEST_CASE("of four daemons and writers the half with the lowest name goes on", "[ringlog]") {
  const auto seed = GENERATE(range(1, 40));
  CAPTURE(seed);
  run({{"a", "b", "c", "d"}, {{"one", "a"}, {"two", "b"}, {"three", "c"}, {"four", "d"}}, true},
      static_cast<std::uint64_t>(seed));
}
