// SPDX-License-Identifier: Apache-2.0
//
// A run is what was done to it: the list a run wrote down gives the same run again.
#include "sim/injection.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "sim/simulation.hpp"

namespace ringcast::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST_CASE("durations and injections are read as they were written") {
  for (const Duration duration :
       {Duration{0}, Duration{nanoseconds{1}}, Duration{microseconds{60}}, Duration{seconds{3}}}) {
    CHECK(parse_duration(to_words(duration)) == duration);
  }
  CHECK(parse_duration("1.5ms") == microseconds{1500});
  CHECK_FALSE(parse_duration("1.5ns").has_value());
  CHECK_FALSE(parse_duration("12").has_value());
  const Injection injection{.at = Duration{1234567890}, .what = "start d2 torn"};
  CHECK(to_string(injection) == "1234.567890ms start d2 torn");
  CHECK(parse_injection(to_string(injection)) == injection);
  CHECK_FALSE(parse_injection("start d2 torn").has_value());
}

TEST_CASE("an operation that does not exist, or names nobody, is told") {
  ClusterConfig config;
  config.names = {"d0", "d1"};
  Recorder recorder{config.names};
  Network network{2, Random{1}};
  Cluster cluster{config, network, recorder, Random{2}};
  recorder.attach(cluster);
  CHECK(perform(cluster, "block d0->d1"));
  CHECK(network.link(0, 1).blocked);
  CHECK_FALSE(network.link(1, 0).blocked);
  CHECK(perform(cluster, "link *->* loss 0.25"));
  CHECK(network.link(1, 0).loss == 0.25);
  CHECK(perform(cluster, "crash d1"));  // it is down: nothing happens
  for (const char* right :
       {"fuse d0 between 1",
        "cpu d0 100",
        "clock d0 rate 1.1",
        "clock d0 jump 200ms",
        "disk d0 fail",
        "disk d0 slow 300ms",
        "sends d0 0.5",
        "buffer d0 4096",
        "configure d0 d0 d1",
        "stranger d0 garbage 7",
        "replay d0 token 3",
        "link d0->* rate_bytes 1000"}) {
    INFO(right);
    CHECK(perform(cluster, right));
  }
  CHECK(cluster.condition(0).slowness == 100);
  CHECK(network.counts().injected == 1);
  for (const char* wrong :
       {"",
        "melt d0",
        "crash",
        "crash d7",
        "block d0",
        "link d0->d1 loss much",
        "start d0 blank"}) {
    INFO(wrong);
    CHECK_FALSE(perform(cluster, wrong));
  }
}

TEST_CASE("links are described by the knobs that differ") {
  LinkFaults links;
  CHECK(link_operations("*->*", links).empty());
  links.loss = 0.1;
  links.delay_max = microseconds{180};
  CHECK(
      link_operations("*->*", links) ==
      std::vector<std::string>{"link *->* delay_max 180us", "link *->* loss 0.1"});
}

TEST_CASE("the operations of a run give the same run") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    RunOptions options;
    options.plan = "everything";
    options.seed = seed;
    options.overrides.fault_phase = seconds{2};
    const RunResult first = run(options);
    options.overrides.schedule = first.injections;
    const RunResult again = run(options);
    INFO("seed " << seed << ", " << first.scenario);
    CHECK(first.injections.size() > 1);
    CHECK(again.hash == first.hash);
    CHECK(again.injections == first.injections);
  }
}

TEST_CASE("a class that is switched off leaves the others as they were") {
  const Plan& plan = *find_plan("churn");
  const Scenario all = draw(plan, 3, {});
  Overrides only_crash;
  only_crash.faults = std::set<Fault>{Fault::crash};
  const Scenario one = draw(plan, 3, only_crash);
  CHECK(one.faults.on == std::set<Fault>{Fault::crash});
  CHECK(one.cluster.names == all.cluster.names);
  CHECK(one.faults.links.delay_max == all.faults.links.delay_max);
  CHECK(one.workload.think == all.workload.think);
}

}  // namespace
}  // namespace ringcast::sim
