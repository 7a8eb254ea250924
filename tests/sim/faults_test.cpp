// SPDX-License-Identifier: Apache-2.0
//
// Faults that need a scenario of their own: numbers at their ends. And that what is looked for as
// evidence can be told apart.
#include <set>

#include <catch2/catch.hpp>

#include "protocol/base/limits.hpp"
#include "sim/evidence.hpp"
#include "sim/simulation.hpp"

namespace ringcast::sim {
namespace {

Scenario three_without_faults() {
  Overrides overrides;
  overrides.nodes = 3;
  overrides.fault_phase = std::chrono::seconds{1};
  Scenario scenario = draw(*find_plan("baseline"), 1, overrides);
  scenario.workload.active = Duration{0};
  return scenario;
}

TEST_CASE("a ring is left before its packet numbers end [ORD-11]") {
  Scenario scenario = three_without_faults();
  scenario.cluster.ring.window_packets_max = 64;
  scenario.cluster.ring.packets_before = packet_seq_limit - 64 - 20;
  scenario.workload.think = std::chrono::milliseconds{2};
  const RunResult result = run(scenario, {});
  CHECK(result.report.ok());
  CHECK(result.counts.count("refused: token: seq out of range") == 0);
  CHECK(result.counts.count("trace token_lost") == 0);
  CHECK(result.counts.count("packet numbers ran out") > 0);
}

TEST_CASE("nothing happens where a shorter integer would wrap") {
  for (const unsigned bits : {15U, 16U, 31U, 32U}) {
    INFO(bits);
    const std::uint64_t before = (std::uint64_t{1} << bits) - 40;
    Scenario scenario = three_without_faults();
    scenario.cluster.ring.packets_before = before;
    scenario.cluster.ring.tokens_before = before;
    scenario.cluster.stored.ring_seq_reserved = before + 38;
    scenario.cluster.clock_ahead = std::chrono::milliseconds{before};
    scenario.workload.tickets_before = before + 30;
    const RunResult result = run(scenario, {});
    CHECK(result.report.ok());
    CHECK(result.counts.at("packet number crossed 2^" + std::to_string(bits)) > 0);
  }
}

TEST_CASE("no two lines of evidence are one") {
  std::set<std::string> names;
  for (const EvidenceLine& line : evidence_table()) {
    INFO(line.name);
    CHECK(names.insert(line.name).second);
    CHECK_FALSE(line.meaning.empty());
    CHECK_FALSE(line.seen.empty());
  }
}

TEST_CASE("every class of faults has a name and can be drawn") {
  std::set<std::string_view> names;
  for (const Fault fault : all_faults()) {
    names.insert(to_string(fault));
  }
  CHECK(names.size() == all_faults().size());
  std::set<Fault> drawn;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    drawn.merge(std::set<Fault>{draw(*find_plan("everything"), seed, {}).faults.on});
  }
  CHECK(drawn.size() == all_faults().size());
}

TEST_CASE("what is drawn is what a daemon would accept") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    const ClusterConfig config = draw(*find_plan("everything"), seed, {}).cluster;
    CHECK(config.ring.validate().ok());
    CHECK(config.session.validate(config.ring.message_bytes_max).ok());
    for (const RingConfig& ring : config.ring_of) {
      CHECK(ring.validate().ok());
    }
  }
}

}  // namespace
}  // namespace ringcast::sim
