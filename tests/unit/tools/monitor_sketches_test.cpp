// SPDX-License-Identifier: Apache-2.0
//
// What is estimated stays within the error that is stated, and in its memory.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/figures/histogram.hpp"
#include "tools/ringlog-monitor/figures/top.hpp"
#include "tools/ringlog-monitor/figures/visits.hpp"

using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h;

Hit hit(std::string_view client, std::string_view page = "/") {
  return {client, "agent", "s", page};
}

}  // namespace

TEST_CASE(
    "as long as there is a counter for each key, counts are exact and in order", "[monitor]") {
  Top top(1000);
  std::map<std::string, std::uint64_t> exact;
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto key = std::to_string(std::min(random() % 1000, random() % 1000));
    top.add(key, 2);
    ++exact[key];
  }
  REQUIRE(top.is_exact());
  const auto entries = top.first(2000);
  REQUIRE(entries.size() == exact.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK(entries[i].count == exact.at(entries[i].key));
    CHECK(entries[i].error == 0);
    CHECK(entries[i].bytes == 2 * entries[i].count);
    if (i > 0) CHECK(entries[i].count <= entries[i - 1].count);
  }
}

TEST_CASE(
    "beyond that no count is too low, and none too high by more than its error", "[monitor]") {
  constexpr std::size_t counters = 100;
  constexpr std::uint64_t requests = 100000;
  Top top(counters);
  std::map<std::string, std::uint64_t> exact;
  std::mt19937 random(2);
  for (std::uint64_t i = 0; i < requests; ++i) {
    // Few keys are frequent, most come once.
    const double share = static_cast<double>(random()) / static_cast<double>(random.max());
    const auto key = std::to_string(static_cast<int>(std::pow(share, 8) * 50000));
    top.add(key, 1);
    ++exact[key];
  }
  REQUIRE_FALSE(top.is_exact());
  CHECK(top.size() == counters);
  std::uint64_t sum = 0;
  std::map<std::string, bool> known;
  for (const auto& entry : top.first(counters)) {
    const auto count = exact.at(entry.key);
    CHECK(entry.count >= count);
    CHECK(entry.count - entry.error <= count);
    CHECK(entry.error <= requests / counters);
    sum += entry.count;
    known[entry.key] = true;
  }
  CHECK(sum == requests);
  for (const auto& [key, count] : exact) {
    if (count > requests / counters) CHECK(known.contains(key));
  }
}

TEST_CASE("a table of one counter works, and long keys are cut and marked", "[monitor]") {
  Top top(1);
  top.add("a", 1);
  top.add("b", 1);
  CHECK(top.first(5).front().key == "b");
  CHECK(top.first(5).front().count == 2);
  CHECK(top.first(5).front().error == 1);
  top.add(std::string(100000, 'x'), 1);
  const auto key = top.first(1).front().key;
  CHECK(key.size() == Top::key_bytes_max);
  CHECK(key.substr(key.size() - 4) == "x...");
}

TEST_CASE("percentiles are off by 1/64 at most, and the ends are exact", "[monitor]") {
  Histogram histogram;
  std::vector<std::uint64_t> values;
  std::mt19937_64 random(3);
  for (int i = 0; i < 10000; ++i) {
    values.push_back(random() >> (24 + (random() % 40)));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(share * 10000)));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto read = static_cast<double>(histogram.percentile(share));
    INFO(share);
    CHECK(std::abs(read - exact) <= exact / 64);
  }
  CHECK(histogram.percentile(1) == values.back());
  CHECK(histogram.min() == values.front());
  CHECK(histogram.count() == values.size());
}

TEST_CASE("small values and an empty histogram are exact, enormous ones are counted", "[monitor]") {
  Histogram histogram;
  CHECK(histogram.percentile(0.5) == 0);
  CHECK(histogram.mean() == Approx(0));
  for (std::uint64_t value = 0; value < 64; ++value) {
    histogram.add(value);
  }
  CHECK(histogram.percentile(0.5) == 31);
  CHECK(histogram.mean() == Approx(31.5));
  histogram.add(~std::uint64_t{0});
  CHECK(histogram.max() == ~std::uint64_t{0});
}

TEST_CASE("a recent histogram forgets what is older than a minute", "[monitor]") {
  RecentHistogram histogram;
  histogram.add(5, start);
  histogram.add(500, start + 50s);
  CHECK(histogram.recent(start + 59s).count() == 2);
  CHECK(histogram.recent(start + 60s).count() == 1);
  histogram.add(50, start + 70s);
  CHECK(histogram.recent(start + 70s).max() == 500);
  CHECK(histogram.recent(start + 600s).count() == 0);
}

TEST_CASE("a visit goes on until the time-out, counted from its last request", "[monitor]") {
  Visits visits(100, 30min);
  visits.add(hit("a", "/1"), start);
  visits.add(hit("a", "/2"), start + 20min);
  visits.add(hit("b", "/2"), start + 40min);
  CHECK(visits.online() == 2);
  visits.expire(start + 50min);
  CHECK(visits.online() == 2);
  visits.expire(start + 51min);
  CHECK(visits.online() == 1);
  CHECK(visits.ended() == 1);
  CHECK(visits.seconds().max() == 1200);
  CHECK(visits.requests().max() == 2);
  visits.add(hit("a"), start + 60min);
  CHECK(visits.online() == 2);
}

TEST_CASE(
    "visitors are told apart by address and agent, and are where they went last", "[monitor]") {
  Visits visits(100, 30min);
  visits.add({"a", "one", "s", "/x"}, start);
  visits.add({"a", "two", "s", "/y"}, start);
  visits.add({"b", "one", "s", "/x"}, start + 1s);
  visits.add({"b", "one", "s", "/y"}, start + 2s);
  CHECK(visits.online() == 3);
  const auto pages = visits.pages(10);
  REQUIRE(pages.size() == 2);
  CHECK(pages[0].key == "/y");
  CHECK(pages[0].count == 2);
  const auto recent = visits.recent(1);
  REQUIRE(recent.size() == 1);
  CHECK(recent[0].client == "b");
  CHECK(recent[0].requests == 2);
}

TEST_CASE("without room the visitor idle for longest goes, and that is counted", "[monitor]") {
  Visits visits(3, 30min);
  for (int i = 0; i < 100000; ++i) {
    visits.add(hit(std::to_string(i)), start);
    visits.add(hit("steady"), start);
  }
  CHECK(visits.online() == 3);
  CHECK(visits.ended_early() == visits.ended());
  CHECK(visits.recent(1).front().requests == 100000);
}
