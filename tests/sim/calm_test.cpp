// SPDX-License-Identifier: Apache-2.0
//
// L6: what counts as a change without a cause, and how many are too many.
#include "sim/calm.hpp"

#include <utility>

#include <catch2/catch.hpp>

#include "sim/campaign.hpp"

namespace ringcast::sim {
namespace {

using std::chrono::seconds;

TEST_CASE("L6 tells changes of a ring that nothing was done to") {
  History history;
  const Instant begin{seconds{1}};
  history.healed = Instant{seconds{1000}};
  Process process;
  process.started = begin;
  const ProcessIndex a = history.start_process(std::move(process));
  const auto install = [&](Instant at, std::uint64_t number) {
    ConfigurationChange change;
    change.kind = ConfigurationChange::Kind::regular;
    change.id.seq = number;
    history.ordered(a, at, change);
  };
  install(Instant{seconds{2}}, 1);     // all daemons start
  install(Instant{seconds{110}}, 2);   // soon after a crash
  install(Instant{seconds{500}}, 3);   // out of the blue
  install(Instant{seconds{1010}}, 4);  // healing
  const auto changes = uncalled_changes(history, begin, {{.at = seconds{100}, .what = "crash d1"}});
  CHECK(changes == std::vector{Instant{seconds{500}}});
}

TEST_CASE("L6 one run may have what chance allows, a campaign keeps to the mean") {
  CHECK(uncalled_most(1, 1) == Approx(4));
  CHECK(uncalled_most(1, 4) == Approx(10));
  const auto report = [](double hours, std::uint64_t changes) {
    Outcome outcome;
    outcome.ok = outcome.calm = true;
    outcome.simulated_s = hours * 3600;
    outcome.counts["configuration changes without a cause"] = changes;
    CampaignReport campaign{1};
    campaign.add(outcome);
    return campaign;
  };
  CHECK(report(100, 99).ok());
  CHECK_FALSE(report(100, 100).ok());
  CHECK(report(100, 100).text().find("violated: L6") != std::string::npos);
  CHECK(report(2, 4).ok());
}

}  // namespace
}  // namespace ringcast::sim
