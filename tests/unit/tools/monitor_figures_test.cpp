// SPDX-License-Identifier: Apache-2.0
//
// The figures of lines: totals, rates, servers, and a real log against a count by hand.
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/analysis.hpp"

using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h;

Request request(std::uint16_t status, std::uint64_t bytes) {
  Request made;
  made.client = "c";
  made.page = "/";
  made.status = status;
  made.bytes = bytes;
  return made;
}

Analysis analysis(const AnalysisOptions& options) {
  return {std::move(LineParser::make({})).value(), options};
}

std::string line_at(const std::string& time, const std::string& client = "c") {
  return client + " - - [17/May/2015:" + time + " +0000] \"GET / HTTP/1.1\" 200 1";
}

}  // namespace

TEST_CASE(
    "rates are those of complete seconds, over no longer than there were lines", "[monitor]") {
  Figures figures(Limits{});
  for (int second = 0; second < 100; ++second) {
    for (int i = 0; i < 10; ++i) {
      figures.add(request(i == 0 ? 500 : 200, 50), "a", start + std::chrono::seconds(second));
    }
  }
  figures.advance(start + 100s);
  CHECK(figures.rate(5s).requests == Approx(10));
  CHECK(figures.rate(60s).bytes == Approx(500));
  CHECK(figures.rate(900s).errors == Approx(1));
  figures.advance(start + 110s);
  CHECK(figures.rate(5s).requests == Approx(0));
  CHECK(figures.rate(60s).requests == Approx(500.0 / 60));
  CHECK(figures.rate(900s).requests == Approx(1000.0 / 110));
  figures.advance(start + 2000s);
  CHECK(figures.rate(900s).requests == Approx(0));
  CHECK(figures.all().total == Tally{1000, 50000, 100});
}

TEST_CASE("the second that is going on is in no rate yet", "[monitor]") {
  Figures figures(Limits{});
  figures.add(request(200, 1), "a", start);
  CHECK(figures.rate(5s).requests == Approx(0));
  figures.advance(start + 1s);
  CHECK(figures.rate(5s).requests == Approx(1));
}

TEST_CASE("each server has its own figures, classes and error share", "[monitor]") {
  Figures figures(Limits{});
  for (const auto status : std::initializer_list<std::uint16_t>{200, 304, 404, 500}) {
    figures.add(request(status, status), "a", start);
    figures.add(request(200, 10), "b", start);
  }
  figures.add(Request{}, "b", start);
  figures.add_unparsed("junk", "b", start);
  figures.add_lost(7, "b", start);
  const auto& a = figures.servers().all().at("a");
  const auto& b = figures.servers().all().at("b");
  CHECK(a.classes == Classes{0, 0, 1, 1, 1, 1});
  CHECK(a.error_share() == Approx(0.5));
  CHECK(a.sizes.max() == 500);
  CHECK(b.classes == Classes{1, 0, 4, 0, 0, 0});
  CHECK(b.lines == 6);
  CHECK(b.unparsed == 1);
  CHECK(b.lost == 7);
  CHECK(figures.all().lines == 10);
  CHECK(figures.codes().at(200) == 5);
  CHECK(figures.unparsed().back().text == "junk");
}

TEST_CASE("servers beyond the limit are counted together, and that is said", "[monitor]") {
  Limits limits;
  limits.servers = 2;
  Figures figures(limits);
  for (int i = 0; i < 10000; ++i) {
    figures.add(request(200, 1), "host" + std::to_string(i), start);
  }
  CHECK_FALSE(figures.servers().is_exact());
  CHECK(figures.servers().all().size() == 3);
  CHECK(figures.servers().all().find(Servers::others_name)->second.total.requests == 9998);
}

TEST_CASE("of lines that do not parse the last ones are kept, cut", "[monitor]") {
  Figures figures(Limits{});
  for (int i = 0; i < 100; ++i) {
    figures.add_unparsed(std::to_string(i) + std::string(10000, 'x'), "a", start);
  }
  CHECK(figures.unparsed().size() == Figures::unparsed_kept);
  CHECK(figures.unparsed().front().text.substr(0, 3) == "84x");
  CHECK(figures.unparsed().front().text.size() < 1000);
  CHECK(figures.all().unparsed == 100);
}

TEST_CASE("stamps that step back count at the latest time so far", "[monitor]") {
  AnalysisOptions options;
  options.time = TimeSource::log;
  auto lines = analysis(options);
  lines.add_line("no stamp yet", {"a", "p"}, start);
  CHECK_FALSE(lines.figures().since());
  for (const auto* const time : {"10:00:00", "10:00:30", "09:59:00", "10:00:10", "10:00:31"}) {
    lines.add_line(line_at(time), {"a", "p"}, start);
  }
  const Instant first = std::chrono::sys_days(std::chrono::year(2015) / 5 / 17) + 10h;
  CHECK(lines.figures().since() == first);
  CHECK(lines.figures().now() == first + 31s);
  CHECK(lines.figures().rate(60s).requests == Approx(4.0 / 31));
  CHECK(lines.figures().visits().online() == 1);
}

TEST_CASE("a single stamp far ahead does not move the clock, two do", "[monitor]") {
  LogClock clock;
  CHECK(clock.advance(std::nullopt) == Instant{});
  CHECK(clock.advance(start) == start);
  CHECK(clock.advance(start + 240h) == start);
  CHECK(clock.advance(start + 1s) == start + 1s);
  CHECK(clock.advance(start + 240h) == start + 1s);
  CHECK(clock.advance(start + 241h) == start + 240h);
  CHECK(clock.advance(start) == start + 240h);
}

TEST_CASE("a server is the daemon, the publisher or the virtual host", "[monitor]") {
  const auto first_server = [](ServerKey key) {
    AnalysisOptions options;
    options.server = key;
    auto lines = analysis(options);
    lines.add_line(R"({"status":200,"host":"www"})", {"web1", "access.log"}, start);
    return lines.figures().servers().all().begin()->first;
  };
  CHECK(first_server(ServerKey::daemon) == "web1");
  CHECK(first_server(ServerKey::publisher) == "access.log");
  CHECK(first_server(ServerKey::vhost) == "www");
}

// The sample's facts were counted with awk: examples/data/README.md.
TEST_CASE("a real log gives what a count by hand gives", "[monitor]") {
  AnalysisOptions options;
  options.time = TimeSource::log;
  auto lines = analysis(options);
  std::ifstream file(RINGCAST_SOURCE_DIR "/examples/data/apache_access_10k.log");
  std::map<std::string, std::uint64_t> clients;
  for (std::string line; std::getline(file, line);) {
    lines.add_line(line, {"a", "a"}, start);
    ++clients[line.substr(0, line.find(' '))];
  }
  const auto& figures = lines.figures();
  CHECK(figures.all().lines == 10000);
  CHECK(figures.all().total.requests == 9999);
  CHECK(figures.all().unparsed == 1);
  CHECK(figures.codes().at(200) + figures.codes().at(304) == 9125 + 445);
  CHECK(figures.codes().at(404) == 213);
  CHECK(figures.all().total.errors == 213 + 3 + 2 + 2);
  CHECK(figures.clients().is_exact());
  CHECK(figures.clients().size() == clients.size());
  for (const auto& entry : figures.clients().first(100)) {
    // The one that does not parse is of a client that is not among the first.
    CHECK(entry.count == clients.at(entry.key));
  }
  CHECK(figures.visits().online() + figures.visits().ended() >= clients.size());
}
