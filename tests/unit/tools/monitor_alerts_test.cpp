// SPDX-License-Identifier: Apache-2.0
//
// Alerts: bursts and silence are told, chance is not.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/figures/alerts.hpp"

using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

// A site under made load, second by second.
class Site {
 public:
  void run(int seconds, int requests, int errors = 0, const std::string& server = "a") {
    for (int second = 0; second < seconds; ++second) {
      add(requests, errors, server);
      next();
    }
  }
  void add(int requests, int errors, const std::string& server) {
    Request request;
    for (int i = 0; i < requests; ++i) {
      request.status = i < errors ? 500 : 200;
      figures.add(request, server, now);
    }
  }
  void next() {
    now += 1s;
    for (auto& alert : alerts.advance(now, figures)) {
      told.push_back(std::move(alert));
    }
  }

  Instant now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h;
  Figures figures{Limits{}};
  Alerts alerts{Alerts::Options{}};
  std::vector<Alert> told;
};

}  // namespace

TEST_CASE("a burst is told once, and once more when it is over", "[monitor]") {
  Site site;
  site.run(600, 20);
  CHECK(site.told.empty());
  site.run(60, 100);
  REQUIRE(site.told.size() == 1);
  CHECK(site.told[0].change == Change::high);
  CHECK(site.told[0].signal == Signal::requests);
  CHECK(site.told[0].rate == Approx(100).epsilon(0.2));
  CHECK(site.told[0].mean == Approx(20).epsilon(0.1));
  CHECK(site.alerts.current().size() == 1);
  site.run(60, 20);
  REQUIRE(site.told.size() == 2);
  CHECK(site.told[1].change == Change::over);
  CHECK(site.alerts.current().empty());
}

TEST_CASE("silence is told, errors are told, few errors are not", "[monitor]") {
  Site site;
  site.run(600, 20, 4);
  site.run(30, 20, 0);
  CHECK(site.told.empty());
  site.run(20, 40, 30);
  REQUIRE(site.told.size() == 1);
  CHECK(site.told[0].signal == Signal::errors);
  site.told.clear();
  site.run(300, 20, 4);
  site.told.clear();
  site.run(20, 0);
  REQUIRE(site.told.size() == 1);
  CHECK(site.told[0].change == Change::low);
  CHECK(site.told[0].signal == Signal::requests);
}

TEST_CASE("what lasts becomes usual", "[monitor]") {
  Site site;
  site.run(600, 20);
  site.run(1800, 100);
  REQUIRE(site.told.size() == 2);
  CHECK(site.told[1].change == Change::over);
}

TEST_CASE("chance alone is no alert", "[monitor]") {
  Site site;
  std::mt19937 random(4);
  std::poisson_distribution<int> requests(3);
  for (int second = 0; second < 24 * 3600; ++second) {
    site.add(requests(random), 0, "a");
    site.next();
  }
  CHECK(site.told.empty());
}

TEST_CASE("one server of several is told by its name, one alone is all there is", "[monitor]") {
  Site alone;
  alone.run(300, 20);
  alone.run(20, 200);
  REQUIRE(alone.told.size() == 1);
  CHECK(alone.told[0].server.empty());
  Site two;
  for (int second = 0; second < 320; ++second) {
    two.add(500, 0, "a");
    two.add(second < 300 ? 5 : 60, 0, "b");
    two.next();
  }
  REQUIRE(two.told.size() == 1);
  CHECK(two.told[0].server == "b");
}

TEST_CASE("the first minutes and a long pause are no alert", "[monitor]") {
  Site site;
  site.run(60, 20);
  site.run(30, 200);
  CHECK(site.told.empty());
  site.run(600, 20);
  site.told.clear();
  site.now += 48h;
  site.run(60, 200);
  CHECK(site.told.empty());
}
