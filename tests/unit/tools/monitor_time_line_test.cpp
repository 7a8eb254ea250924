// SPDX-License-Identifier: Apache-2.0
//
// What plots, the way of a visitor, the tail and single groups stand on.
#include <numeric>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/group_analyses.hpp"

using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h;
constexpr Tally one{1, 10, 0};

double requests(const TimeLine::Stretch& stretch) {
  const auto add = [](double sum, const TimeLine::Point& point) {
    return sum + point.rate.requests;
  };
  const double sum = std::accumulate(stretch.points.begin(), stretch.points.end(), 0.0, add);
  return sum * static_cast<double>(stretch.step.count());
}

std::string line(const std::string& client, const std::string& page) {
  return R"({"remote_addr":")" + client + R"(","uri":")" + page + R"(","status":200})";
}

GroupAnalyses analyses(const std::vector<std::string>& names, std::size_t recent_lines = 0) {
  AnalysisOptions options;
  options.recent_lines = recent_lines;
  options.limits.clicks = 100;
  return {*LineParser::make({}), options, names};
}

}  // namespace

TEST_CASE("a time line that forgets has the last seconds, and zeros without lines", "[monitor]") {
  TimeLine line(60, TimeLine::WhenFull::forget);
  CHECK(line.read(start, TimeLine::Current::with, 60).points.empty());
  for (int second = 0; second < 100; ++second) {
    line.add(one, std::nullopt, start + std::chrono::seconds(second));
  }
  const auto full = line.read(start + 100s, TimeLine::Current::without, 60);
  CHECK(full.start == start + 40s);
  CHECK(full.points.size() == 60);
  CHECK(requests(full) == Approx(60));
  const auto later = line.read(start + 130s, TimeLine::Current::without, 60);
  CHECK(later.points.size() == 60);
  CHECK(requests(later) == Approx(30));
  CHECK(requests(line.read(start + 2h, TimeLine::Current::without, 60)) == Approx(0));
  line.add(one, std::nullopt, start + 24h);
  CHECK(requests(line.read(start + 24h, TimeLine::Current::with, 60)) == Approx(1));
  CHECK(line.read(start + 24h, TimeLine::Current::with, 5).points.size() == 5);
}

TEST_CASE("a time line that widens keeps every request in bounded buckets", "[monitor]") {
  TimeLine line(64, TimeLine::WhenFull::widen);
  int count = 0;
  for (auto at = start; at < start + 30h; at += 37s) {
    line.add(one, std::nullopt, at);
    ++count;
    const auto stretch = line.read(at, TimeLine::Current::with, 64);
    REQUIRE(stretch.points.size() <= 64);
  }
  const auto end = line.read(start + 30h, TimeLine::Current::with, 64);
  CHECK(requests(end) == Approx(count).epsilon(0.05));
  CHECK(end.step == 2048s);
  line.add(one, std::nullopt, start + std::chrono::years(70));
  CHECK(line.read(start + std::chrono::years(70), TimeLine::Current::with, 64).points.size() <= 64);
}

TEST_CASE("a time line takes no line of which no time is known", "[monitor]") {
  TimeLine line(64, TimeLine::WhenFull::widen);
  line.add(one, std::nullopt, Instant{});
  line.add(one, std::nullopt, start);
  const auto stretch = line.read(start, TimeLine::Current::with, 64);
  CHECK(stretch.step == 1s);
  CHECK(stretch.points.size() == 1);
}

TEST_CASE("percentiles over time are within a sixteenth", "[monitor]") {
  TimeLine line(16, TimeLine::WhenFull::widen);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    line.add(one, i * 100, start + std::chrono::seconds(i / 10));
  }
  const auto stretch = line.read(start + 101s, TimeLine::Current::with, 16);
  CHECK(stretch.step == 8s);
  const auto& point = stretch.points[5];
  REQUIRE(point.has_latency);
  // Its eighty latencies are from 8 milliseconds times its number on.
  const auto first =
      std::chrono::duration_cast<std::chrono::seconds>(stretch.start + 5 * stretch.step - start)
          .count() *
      1000;
  CHECK(static_cast<double>(point.p50) == Approx(first + 4000).epsilon(1.0 / 16));
  CHECK(static_cast<double>(point.p99) == Approx(first + 7900).epsilon(1.0 / 16));
}

TEST_CASE("a visitor's way is kept across servers, and what is cut is counted", "[monitor]") {
  Visits visits(100, 30min, 1000);
  visits.add({"a", "x", "web1", "/one", 200}, start);
  visits.add({"a", "x", "web2", "/two", 404}, start + 1s);
  visits.add({"b", "x", "web1", "/", 200}, start + 2s);
  const auto recent = visits.recent(10);
  REQUIRE(recent.size() == 2);
  const auto* trail = visits.trail(recent[1].id);
  REQUIRE(trail != nullptr);
  const auto clicks = trail->list();
  REQUIRE(clicks.size() == 2);
  CHECK(clicks[0].page == "/one");
  CHECK(clicks[1].server == "web2");
  CHECK(clicks[1].status == 404);
  CHECK(clicks[1].at == start + 1s);
  for (int i = 0; i < 100; ++i) {
    visits.add({"a", "x", "web1", "/" + std::to_string(i), 200}, start + 3s);
  }
  trail = visits.trail(recent[1].id);
  CHECK(trail->size() == Trail::clicks_max);
  CHECK(trail->gone() == 102 - Trail::clicks_max);
  CHECK(trail->list().back().page == "/99");
  CHECK(trail->list().front().page == "/36");
  CHECK(visits.trail("") == nullptr);
  CHECK(visits.trail(std::string(32, 'z')) == nullptr);
  CHECK(visits.trail(std::string(32, '0')) == nullptr);
  CHECK(visits.clicks() == Trail::clicks_max + 1);
  visits.expire(start + 2h);
  CHECK(visits.clicks() == 0);
}

TEST_CASE("all ways together are bounded; those idle for longest lose theirs", "[monitor]") {
  Visits visits(1000, 30min, 80);
  for (int client = 0; client < 500; ++client) {
    visits.add({std::to_string(client), "x", "web1", "/1", 200}, start);
    visits.add({std::to_string(client), "x", "web1", "/2", 200}, start);
    REQUIRE(visits.clicks() <= 80);
  }
  const auto recent = visits.recent(500);
  CHECK(visits.trail(recent.front().id)->size() == 2);
  const auto* oldest = visits.trail(recent.back().id);
  CHECK(oldest->size() == 0);
  CHECK(oldest->gone() == 2);
}

TEST_CASE(
    "ways are lost in the order of idleness, also when visitors come back or leave", "[monitor]") {
  constexpr std::size_t clicks_max = 16;
  Visits visits(40, 10min, clicks_max);
  auto now = start;
  std::uint32_t random = 1;
  for (int i = 0; i < 5000; ++i) {
    random = random * 1664525 + 1013904223;
    now += std::chrono::seconds(random >> 27U);
    visits.add({std::to_string((random >> 16U) % 60), "x", "web1", "/", 200}, now);
    std::size_t clicks = 0;
    bool is_lost = false;  // whoever has been idle for longer has no way either
    for (const auto& visit : visits.recent(40)) {
      const auto size = visits.trail(visit.id)->size();
      clicks += size;
      if (is_lost) REQUIRE(size == 0);
      is_lost = size == 0;
    }
    REQUIRE(clicks == visits.clicks());
    REQUIRE(clicks <= clicks_max);
    REQUIRE(clicks > 0);
  }
}

TEST_CASE("recent lines are bounded in number, in length and in bytes", "[monitor]") {
  RecentLines few(3);
  for (int i = 1; i <= 5; ++i) {
    few.add("line " + std::to_string(i), "web1", start);
  }
  REQUIRE(few.all().size() == 3);
  CHECK(few.all().front().seq == 3);
  CHECK(few.all().front().text == "line 3");
  CHECK(few.last_seq() == 5);
  RecentLines many(100000);
  std::size_t bytes = 0;
  for (int i = 0; i < 2000; ++i) {
    many.add(std::string(10000, 'x'), "web1", start);
  }
  for (const auto& kept : many.all()) {
    bytes += kept.text.size() + kept.server.size();
    REQUIRE(kept.is_cut);
  }
  CHECK(bytes <= RecentLines::bytes_max);
  RecentLines none(0);
  none.add("line", "web1", start);
  CHECK(none.all().empty());
}

TEST_CASE("each of several groups has its own figures, and all have theirs", "[monitor]") {
  auto several = analyses({"web", "api"}, 10);
  const std::vector<std::string> web = {"web"};
  const std::vector<std::string> both = {"api", "web", "api", "other"};
  several.add_line(line("c", "/"), {"d1", "p", web}, start);
  several.add_line(line("c", "/"), {"d1", "p", both}, start);
  several.add_lost(5, {"d1", "p", web}, start);
  several.advance(start + 1s);
  CHECK(several.all().figures().all().total.requests == 2);
  CHECK(several.find("")->figures().all().total.requests == 2);
  CHECK(several.find("web")->figures().all().total.requests == 2);
  CHECK(several.find("web")->figures().all().lost == 5);
  CHECK(several.find("api")->figures().all().total.requests == 1);
  CHECK(several.find("api")->recent_lines().all().size() == 1);
  CHECK(several.find("other") == nullptr);
  auto single = analyses({"web"});
  CHECK(single.find("web") == &single.all());
}
