// SPDX-License-Identifier: Apache-2.0
//
// What a node tells of itself, and what may change while it runs.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/node/cluster.hpp"

namespace ringcast {
namespace {

using node_test::Cluster;
using std::chrono::seconds;

NodeConfig configured(const std::vector<std::string>& names, const std::string& self) {
  NodeConfig config;
  config.cluster = "test";
  config.name = self;
  for (const auto& name : names) {
    config.daemons.push_back(DaemonEntry{.name = name, .address = {}});
  }
  return config;
}

}  // namespace

TEST_CASE("status names the configuration, who is in it and who is missing") {
  Cluster cluster({"a", "b", "c"});
  cluster.start(0);
  cluster.start(1);
  (void)cluster.run_until([&] { return cluster.is_formed(2); }, seconds{5});
  const auto status = cluster.status(0);
  CHECK(status.daemon == "a");
  CHECK(status.cluster == "test");
  CHECK(status.state == "operational");
  CHECK(status.configuration.daemons.size() == 2);
  CHECK(status.configuration.configured == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(status.daemons.size() == 3);
  CHECK(status.daemons[0].member);
  CHECK(status.daemons[1].member);
  CHECK_FALSE(status.daemons[2].member);
  CHECK_FALSE(status.warnings.empty());  // the null sealer protects nothing
  CHECK(std::is_sorted(status.counters.begin(), status.counters.end()));
}

TEST_CASE("a driver's counters are shown among the others") {
  Cluster cluster({"a"});
  cluster.form();
  cluster.node(0).count("sends_refused", 2);
  cluster.node(0).count("sends_refused", 3);
  const auto counters = cluster.status(0).counters;
  const std::pair<std::string, std::uint64_t> expected{"sends_refused", 5};
  CHECK(std::find(counters.begin(), counters.end(), expected) != counters.end());
}

TEST_CASE("a reload that changes identity is refused and changes nothing") {
  Cluster cluster({"a", "b"});
  cluster.form();
  Effects effects;
  auto other_cluster = configured({"a", "b"}, "a");
  other_cluster.cluster = "other";
  const auto now = cluster.now();
  CHECK_FALSE(cluster.node(0).on_reload(now, other_cluster, effects));
  CHECK_FALSE(cluster.node(0).on_reload(now, configured({"a", "b"}, "b"), effects));
  CHECK_FALSE(cluster.node(0).on_reload(now, configured({"b"}, "a"), effects));
  CHECK(effects.transmits.empty());
  CHECK(cluster.status(0).cluster == "test");
  cluster.run(seconds{2});
  CHECK(cluster.is_formed(2));
}

TEST_CASE("a daemon added by a reload is found, one taken out is left out") {
  Cluster cluster({"a", "b"});
  cluster.form();
  Effects effects;
  const auto grown = configured({"a", "b", "later"}, "a");
  CHECK(cluster.node(0).on_reload(cluster.now(), grown, effects));
  CHECK(cluster.status(0).daemons.size() == 3);
  CHECK(cluster.is_formed(2));
  const auto shrunk = configured({"a"}, "a");
  CHECK(cluster.node(0).on_reload(cluster.now(), shrunk, effects));
  (void)cluster.run_until([&] { return cluster.configuration(0).members.size() == 1; }, seconds{5});
  CHECK(cluster.configuration(0).members.size() == 1);
}

}  // namespace ringcast
