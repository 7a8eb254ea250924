// SPDX-License-Identifier: Apache-2.0
//
// The shrinker is judged by rules whose smallest failure is known.
#include "sim/shrink.hpp"

#include <numeric>

#include <catch2/catch.hpp>

namespace ringcast::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool holds(const std::vector<int>& items, int item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

bool holds(const Story& story, const std::string& what) {
  const std::vector<Injection>& schedule = *story.options.overrides.schedule;
  return std::any_of(schedule.begin(), schedule.end(), [&](const Injection& injection) {
    return injection.what == what;
  });
}

TEST_CASE("what does not matter is left out, what does matter stays in its order") {
  std::vector<int> items(200);
  std::iota(items.begin(), items.end(), 0);
  std::size_t runs = 0;
  const auto fails = [&](const std::vector<int>& rest) {
    ++runs;
    return holds(rest, 3) && holds(rest, 117) && holds(rest, 118);
  };
  CHECK(minimise(items, fails) == std::vector<int>{3, 117, 118});
  CHECK(runs < 200);
}

TEST_CASE("items that only fail together stay together") {
  const std::vector<int> items{1, 2, 3, 4, 5, 6};
  const auto fails = [](const std::vector<int>& rest) {
    return holds(rest, 2) && (!holds(rest, 3) || holds(rest, 5));
  };
  CHECK(minimise(items, fails) == std::vector<int>{2});
  CHECK(minimise(items, [](const std::vector<int>& rest) { return rest.size() > 3; }).size() == 4);
  CHECK(minimise(items, [](const std::vector<int>&) { return true; }).empty());
}

Story long_story() {
  Story story;
  story.options.plan = "everything";
  story.options.seed = 11;
  story.options.overrides.fault_phase = seconds{4};
  story.options.overrides.schedule.emplace();
  for (int i = 0; i < 40; ++i) {
    story.options.overrides.schedule->push_back(
        {.at = milliseconds{i * 100}, .what = i == 17 ? "crash d1" : "pause d0"});
  }
  story.invariant = "E3";
  return story;
}

TEST_CASE("a story shrinks in every direction to what its failure needs") {
  const auto fails = [](const Story& story) {
    const Overrides& overrides = story.options.overrides;
    return holds(story, "crash d1") && overrides.nodes.value_or(7) >= 3 &&
           overrides.clients.value_or(12) >= 2 && *overrides.fault_phase >= milliseconds{900} &&
           (!overrides.faults || overrides.faults->contains(Fault::slow_client));
  };
  const Shrunk shrunk = shrink(long_story(), 7, 12, fails, {});
  const Overrides& overrides = shrunk.story.options.overrides;
  CHECK(overrides.schedule->size() == 1);
  CHECK(overrides.nodes == 3);
  CHECK(overrides.clients == 2);
  CHECK(overrides.fault_phase == seconds{1});
  CHECK(overrides.faults == std::set<Fault>{Fault::slow_client});
  CHECK(fails(shrunk.story));
  CHECK(shrunk.story.options.seed == 11);
  CHECK(shrunk.story.invariant == "E3");
}

TEST_CASE("the shrinker stops at its limit with what it has") {
  std::size_t runs = 0;
  const auto fails = [&](const Story& story) {
    ++runs;
    return holds(story, "crash d1");
  };
  const Shrunk shrunk = shrink(long_story(), 7, 12, fails, {.runs_max = 5});
  CHECK(runs == 5);
  CHECK(shrunk.runs == 5);
  CHECK(holds(shrunk.story, "crash d1"));
}

TEST_CASE("a story is read as it was written") {
  Story story = long_story();
  story.options.overrides.nodes = 3;
  story.options.overrides.clients = 0;
  story.options.overrides.faults = std::set<Fault>{Fault::loss, Fault::crash};
  const Result<Story> again = parse_story("# a comment\n\n" + to_text(story));
  REQUIRE(again.ok());
  CHECK(to_text(*again) == to_text(story));
  CHECK(again->options.overrides.schedule == story.options.overrides.schedule);
}

TEST_CASE("a story without overrides is a plan and a seed") {
  const Result<Story> story = parse_story("plan lossy\nseed 7\n");
  REQUIRE(story.ok());
  CHECK_FALSE(story->options.overrides.schedule.has_value());
  CHECK(to_text(*story) == "plan lossy\nseed 7\n");
}

TEST_CASE("what is no story is refused with its line") {
  for (const char* wrong :
       {"plan nonsense\n",
        "plan lossy\nseed x\n",
        "plan lossy\nfaults crash\n",  // not one of its classes
        "plan lossy\nat 1ms crash d0\n",
        "plan lossy\nschedule\nat soon crash d0\n",
        "plan lossy\nduration 3\n",
        "plan lossy\nnodes 0\n",
        "hello\n"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_story(wrong).ok());
  }
}

}  // namespace
}  // namespace ringcast::sim
