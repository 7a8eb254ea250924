// SPDX-License-Identifier: Apache-2.0
//
// Writers whose files are bounded, and writers that come back: inside what is kept nothing is
// missing; outside of it the file goes on behind a gap that is told exactly, and is the same from
// there on.
#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/tools/writers_network.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

constexpr std::uint64_t limit = std::uint64_t{256} << 10U;
constexpr std::size_t line_bytes = 1000;
constexpr std::uint64_t limit_lines = limit / line_bytes;

void publish_much(WritersNetwork& network, std::uint64_t lines) {
  for (; lines > 0; lines -= std::min<std::uint64_t>(lines, 20)) {
    network.publish(0, std::min<std::uint64_t>(lines, 20), line_bytes);
    for (int i = 0; i < 20; ++i) {
      network.step();
    }
  }
  INFO(network.story());
  REQUIRE(network.settle());
}

const FileState& state(const WritersNetwork& network, const std::string& writer) {
  return network.scribe(writer).store().written();
}

const ReconcilerCounters& counters(const WritersNetwork& network, const std::string& writer) {
  return network.scribe(writer).reconciler().counters();
}

// The same end, the same names, and the same bytes as far as both keep them; and each line that
// was accepted is in the table, or named by a gap.
void check_alike(const WritersNetwork& network, const std::vector<std::string>& writers) {
  INFO(network.story());
  const auto& first = state(network, writers.front());
  for (const auto& writer : writers) {
    const auto& other = state(network, writer);
    CAPTURE(writer);
    REQUIRE(other.end == first.end);
    REQUIRE(other.table == first.table);
    REQUIRE(other.gaps == first.gaps);
    const auto from = std::max(other.front.begins.length, first.front.begins.length);
    const auto whole = network.file(writer);
    REQUIRE(whole.size() == first.end.length);
    REQUIRE(whole.substr(from) == network.file(writers.front()).substr(from));
  }
  auto told = first.table;
  told.merge(first.gaps);
  CHECK(told.count() == network.lines().size());
}

void check_reopens(const WritersNetwork& network, const std::string& writer) {
  std::vector<std::string> notes;
  const auto loaded = load_state(network.path(writer), notes);
  REQUIRE(loaded);
  REQUIRE(loaded->has_value());
  REQUIRE((*loaded)->state == state(network, writer));
  REQUIRE(notes.empty());
}

bool was_told(const WritersNetwork& network, const std::string& text) {
  return network.story().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a writer that comes back inside what another keeps misses nothing", "[ringlog]") {
  WritersNetwork network(1, {"a", "b", "c"});
  network.limit_writer("one", Keep{limit, {}});
  network.start_writer("one", "a");
  network.start_writer("two", "b");
  network.add_publisher("c");
  publish_much(network, 4 * limit_lines);
  network.kill_writer("two");
  publish_much(network, limit_lines / 2);
  REQUIRE(state(network, "one").front.begins.length > 0);
  network.start_writer("two", "b");
  publish_much(network, 5);
  check_alike(network, {"one", "two"});
  CHECK(state(network, "two").front.begins.length == 0);
  CHECK(counters(network, "two").unkept == 0);
  CHECK(counters(network, "two").fetched_lines >= limit_lines / 2);
}

TEST_CASE("a writer that comes back outside goes on behind the other's front", "[ringlog]") {
  const auto missed =
      static_cast<std::uint64_t>(GENERATE(6, 24));  // far behind, it fetches before it joins
  CAPTURE(missed);
  WritersNetwork network(1, {"a", "b", "c"});
  network.limit_writer("one", Keep{limit, {}});
  network.start_writer("one", "a");
  network.start_writer("two", "b");
  network.add_publisher("c");
  publish_much(network, 100);
  const auto had = state(network, "two").end;
  network.kill_writer("two");
  publish_much(network, missed * limit_lines);
  const auto begins = state(network, "one").front.begins;
  REQUIRE(begins.length > had.length);
  network.start_writer("two", "b");
  publish_much(network, 5);
  check_alike(network, {"one", "two"});
  CHECK(state(network, "two").front.begins == begins);
  CHECK(counters(network, "two").unkept == 1);
  CHECK(counters(network, "two").unkept_lines == begins.lines - had.lines);
  CHECK(counters(network, "two").cut_lines == 0);
  CHECK(network.pending_files().empty());
  CHECK(was_told(
      network,
      "no writer keeps what follows byte " + std::to_string(had.length) + " (line " +
          std::to_string(had.lines) + ") of this file any more; it goes on with byte " +
          std::to_string(begins.length) + ", line " + std::to_string(begins.lines + 1)));
  CHECK(was_told(network, "\"ranges\":[[101," + std::to_string(begins.lines) + "]]"));
  // It is as good a source as the other from now on, and it knows its front after a restart.
  network.kill_writer("two");
  network.start_writer("two", "b");
  publish_much(network, 5);
  check_reopens(network, "two");
  network.kill_writer("one");
  publish_much(network, 5);
  network.start_writer("one", "a");
  publish_much(network, 5);
  check_alike(network, {"one", "two"});
  CHECK(counters(network, "one").unkept == 0);
}

TEST_CASE("a new writer begins where the others begin", "[ringlog]") {
  WritersNetwork network(1, {"a", "b", "c"});
  network.limit_writer("one", Keep{limit, {}});
  network.start_writer("one", "a");
  network.add_publisher("c");
  publish_much(network, 5 * limit_lines);
  const auto begins = state(network, "one").front.begins;
  network.start_writer("two", "b");
  publish_much(network, 5);
  check_alike(network, {"one", "two"});
  CHECK(state(network, "two").front.begins == begins);
  CHECK(counters(network, "two").unkept_lines == begins.lines);
}

TEST_CASE("of several writers the one that keeps enough is asked", "[ringlog]") {
  WritersNetwork network(1, {"a", "b", "c"});
  network.limit_writer("one", Keep{limit, {}});
  network.start_writer("one", "a");
  network.start_writer("two", "b");
  network.start_writer("three", "c");
  network.add_publisher("c");
  publish_much(network, 100);
  network.kill_writer("two");
  publish_much(network, 6 * limit_lines);
  network.start_writer("two", "b");
  publish_much(network, 5);
  check_alike(network, {"one", "two", "three"});
  CHECK(counters(network, "two").unkept == 0);
  CHECK(state(network, "two").front.begins.length == 0);
}

TEST_CASE(
    "what only a file has that went on otherwise is offered, and marked if released", "[ringlog]") {
  WritersNetwork network(1, {"a", "b", "c"});
  const auto own_limit = GENERATE(std::uint64_t{0}, limit);
  CAPTURE(own_limit);
  network.limit_writer("one", Keep{own_limit, {}});
  network.limit_writer("two", Keep{limit, {}});
  network.start_writer("one", "a");
  network.start_writer("two", "b");
  network.add_publisher("c");
  publish_much(network, 100);
  network.kill_writer("two");
  publish_much(network, 3 * limit_lines);
  network.kill_writer("one");
  // The other goes on from what it has, and releases the place up to which both are the same.
  network.start_writer("two", "b");
  publish_much(network, 6 * limit_lines);
  REQUIRE(state(network, "two").front.begins.length > 200 * line_bytes);
  network.start_writer("one", "a");
  publish_much(network, 5);
  check_alike(network, {"one", "two"});
  CHECK(counters(network, "one").unkept == 1);
  CHECK(network.pending_files().empty());
  const auto& gaps = state(network, "one").gaps;
  const auto lost = gaps.minus(state(network, "one").table).count();
  if (own_limit == 0) {
    CHECK(lost == 0);
    CHECK(counters(network, "one").cut_lines >= 3 * limit_lines);
  } else {
    CHECK(lost > 0);
    CHECK(lost < 3 * limit_lines);
  }
}

namespace {

// Writers are killed and stay away for long, networks are cut, lines go on.
void run_at_random(WritersNetwork& network, const std::map<std::string, std::string>& writers) {
  for (int round = 0; round < 6000; ++round) {
    network.step();
    if (network.any(2) == 0) network.publish(network.any(3), 1 + network.any(4), line_bytes);
    if (network.any(600) == 0) {
      std::map<std::string, int> parts{{"a", 0}, {"b", 0}, {"c", 0}};
      if (network.any(2) == 0) parts[std::string(1, static_cast<char>('a' + network.any(3)))] = 1;
      network.reconfigure(parts);
    }
    for (const auto& [name, daemon] : writers) {
      if (network.is_running(name) && network.any(2000) == 0) network.kill_writer(name);
      if (!network.is_running(name) && network.any(2000) == 0) network.start_writer(name, daemon);
    }
  }
  network.reconfigure({{"a", 0}, {"b", 0}, {"c", 0}});
  for (const auto& [name, daemon] : writers) {
    if (!network.is_running(name)) network.start_writer(name, daemon);
  }
}

}  // namespace

TEST_CASE("whatever is killed under limits, files end alike", "[ringlog]") {
  const std::map<std::string, std::string> writers{{"one", "a"}, {"two", "b"}, {"three", "c"}};
  std::size_t times_unkept = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    WritersNetwork network(seed, {"a", "b", "c"});
    for (const auto& [name, daemon] : writers) {
      network.limit_writer(name, Keep{name == "one" ? limit : limit / 2, {}});
      network.start_writer(name, daemon);
      network.add_publisher(daemon);
    }
    run_at_random(network, writers);
    INFO(network.story());
    REQUIRE(network.settle());
    if (was_told(network, "no writer keeps")) ++times_unkept;
    const auto& first = state(network, "one");
    for (const auto& [name, daemon] : writers) {
      const auto& other = state(network, name);
      CAPTURE(name);
      REQUIRE(other.end == first.end);
      REQUIRE(other.table == first.table);
      const auto from = std::max(other.front.begins.length, first.front.begins.length);
      REQUIRE(network.file(name).substr(from) == network.file("one").substr(from));
      check_reopens(network, name);
    }
    REQUIRE(network.pending_files().empty());
  }
  CHECK(times_unkept > 1);
}
