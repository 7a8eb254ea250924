// SPDX-License-Identifier: Apache-2.0
//
// Log lines of every format, and lines that are of none.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/formats/line_parser.hpp"

using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

LineParser parser(const std::vector<std::string>& formats = {}) {
  auto made = LineParser::make(formats);
  REQUIRE(made);
  return std::move(made).value();
}

std::string error_of(const std::string& format) {
  auto made = LineParser::make({format});
  REQUIRE_FALSE(made);
  return made.error().message;
}

constexpr LogTime noon = std::chrono::sys_days(std::chrono::year(2015) / 5 / 17) + 12h;

const std::string combined_line =
    "192.0.2.7 - jo hn [17/May/2015:14:00:00 +0200] \"GET /a%20b?x=1 HTTP/1.1\" 404 1234 "
    "\"http://from.example/\" \"Agent \\\"quoted\\\" 1.0\"";
const std::string haproxy_line =
    "Aug  5 00:50:12 host haproxy[374]: 2001:db8::1:39164 [17/May/2015:12:00:00.250] http~ "
    "back/web1 0/0/0/444/445 200 365 - - ---- 0/0/0/0/0 0/0 {ref|\"a b\"} \"HEAD /x HTTP/1.0\"";

}  // namespace

TEST_CASE("a combined line gives all its values", "[monitor]") {
  auto lines = parser();
  const auto request = lines.parse(combined_line);
  REQUIRE(request);
  CHECK(request->client == "192.0.2.7");
  CHECK(request->time == noon);
  CHECK(request->method == "GET");
  CHECK(request->page == "/a%20b");
  CHECK(request->status == 404);
  CHECK(request->bytes == 1234);
  CHECK(request->referrer == "http://from.example/");
  CHECK(request->agent == "Agent \\\"quoted\\\" 1.0");
  CHECK_FALSE(request->latency);
}

TEST_CASE("a dash is absence, and a common line has neither referrer nor agent", "[monitor]") {
  auto lines = parser();
  const auto request =
      lines.parse("host - - [17/May/2015:12:00:00 +0000] \"GET / HTTP/1.0\" 304 -\r");
  REQUIRE(request);
  CHECK(request->status == 304);
  CHECK_FALSE(request->bytes);
  CHECK(request->referrer.empty());
  const auto dashes = lines.parse("host - - [17/May/2015:12:00:00 +0000] \"-\" 408 - \"-\" \"-\"");
  REQUIRE(dashes);
  CHECK(dashes->page.empty());
  CHECK(dashes->agent.empty());
}

TEST_CASE("a request that is none is its own page", "[monitor]") {
  auto lines = parser();
  const auto bytes =
      lines.parse("h - - [17/May/2015:12:00:00 +0000] \"\\x16\\x03\\x01\" 400 226 \"-\" \"-\"");
  REQUIRE(bytes);
  CHECK(bytes->page == "\\x16\\x03\\x01");
  CHECK(bytes->method.empty());
  const auto blanks =
      lines.parse("h - - [17/May/2015:12:00:00 +0000] \"GET /a b c HTTP/1.1\" 200 1 \"-\" \"-\"");
  REQUIRE(blanks);
  CHECK(blanks->page == "/a b c");
}

TEST_CASE("what is cut or has something else in its place does not parse", "[monitor]") {
  auto lines = parser();
  for (std::size_t length = 0; length < combined_line.size(); ++length) {
    const auto request = lines.parse(std::string_view(combined_line).substr(0, length));
    // Where it happens to be a common line it is one.
    if (request) CHECK(request->agent.empty());
  }
  const std::vector<std::string> wrong = {
      "h - - [17/May/2015:12:00:00 +0000] \"GET / HTTP/1.0\" abc 5",
      "h - - [17/May/2015:12:00:00 +0000] \"GET / HTTP/1.0\" 200 5x",
      "h - - [17/Mai/2015:12:00:00 +0000] \"GET / HTTP/1.0\" 200 5",
      "h - - [31/Feb/2015:12:00:00 +0000] \"GET / HTTP/1.0\" 200 5",
      "h - - [17/May/2015:25:00:00 +0000] \"GET / HTTP/1.0\" 200 5",
      "h - - [17/May/2015:12:00:00 +0000] \"GET / HTTP/1.0\" 200 5 \"-\" \"open",
      "h - - [17/May/2015:12:00:00 +0000] \"GET / HTTP/1.0\" 200 99999999999999999999",
      "#ringlog-gap {}",
      ""};
  for (const auto& line : wrong) {
    INFO(line);
    CHECK_FALSE(lines.parse(line));
  }
}

TEST_CASE("an Apache LogFormat is taken as it stands in the configuration", "[monitor]") {
  auto lines = parser(
      {"%{Host}i %a %{%Y-%m-%dT%H:%M:%S%z}t %m %U%q %>s %O %D \\\"%{User-agent}i\\\" %{x}o 100%%"});
  const auto request = lines.parse(
      "www.example 192.0.2.1 2015-05-17T12:00:00+0000 POST /form?a=b 201 77 1500 \"me\" z 100%");
  REQUIRE(request);
  CHECK(request->server == "www.example");
  CHECK(request->client == "192.0.2.1");
  CHECK(request->time == noon);
  CHECK(request->method == "POST");
  CHECK(request->page == "/form");
  CHECK(request->status == 201);
  CHECK(request->bytes == 77);
  CHECK(request->latency == 1500us);
  CHECK(request->agent == "me");
}

TEST_CASE("latencies come in all units", "[monitor]") {
  const auto latency = [](const std::string& format, const std::string& value) {
    auto lines = parser({"%h " + format});
    const auto line = "h " + value;
    const auto request = lines.parse(line);
    REQUIRE(request);
    return request->latency.value_or(-1us);
  };
  CHECK(latency("%D", "12") == 12us);
  CHECK(latency("%T", "3") == 3s);
  CHECK(latency("%{ms}T", "3") == 3ms);
  CHECK(latency("%{us}T", "3") == 3us);
  CHECK(latency("%T", "-") == -1us);
}

TEST_CASE("the document's bytes count before those on the wire", "[monitor]") {
  auto one = parser({"%h %O %b"});
  CHECK(one.parse("h 100 70")->bytes == 70);
  auto other = parser({"%h %b %O"});
  CHECK(other.parse("h 70 100")->bytes == 70);
}

TEST_CASE("an nginx log_format is taken as it stands in the configuration", "[monitor]") {
  auto lines = parser(
      {"$remote_addr [$time_iso8601] ${host} \"$request\" $status $body_bytes_sent $request_time "
       "$upstream_response_time"});
  const auto request = lines.parse(
      "192.0.2.1 [2015-05-17T14:00:00+02:00] www \"GET /p?q HTTP/2.0\" 200 5 0.012 0.010, 0.001");
  REQUIRE(request);
  CHECK(request->time == noon);
  CHECK(request->server == "www");
  CHECK(request->page == "/p");
  CHECK(request->latency == 12ms);
}

TEST_CASE("a query in parts of its own belongs to the page", "[monitor]") {
  auto lines = parser({"$request_method $uri$is_args$args $status"});
  const auto request = lines.parse("GET /p?a=b 200");
  REQUIRE(request);
  CHECK(request->page == "/p");
  CHECK(request->status == 200);
}

TEST_CASE("an HAProxy line gives its back end and its whole time", "[monitor]") {
  auto lines = parser();
  const auto request = lines.parse(haproxy_line);
  REQUIRE(request);
  CHECK(request->client == "2001:db8::1");
  CHECK(request->time == noon + 250ms);
  CHECK(request->server == "back/web1");
  CHECK(request->status == 200);
  CHECK(request->bytes == 365);
  CHECK(request->latency == 445ms);
  CHECK(request->page == "/x");
}

TEST_CASE("HAProxy's aborted and cut requests are requests", "[monitor]") {
  auto lines = parser({"haproxy"});
  const auto aborted = lines.parse(
      "192.0.2.1:80 [17/May/2015:12:00:00.000] http http/<NOSRV> -1/-1/-1/-1/+7 -1 +0 - - PR-- "
      "1/1/0/0/3 0/0 \"<BADREQ>\"");
  REQUIRE(aborted);
  CHECK_FALSE(aborted->status);
  CHECK(aborted->latency == 7ms);
  CHECK(aborted->page == "<BADREQ>");
  const auto cut = lines.parse(
      "192.0.2.1:80 [17/May/2015:12:00:00.000] http b/s 0/0/0/1/1 200 5 - - ---- 1/1/0/0/0 0/0 "
      "\"GET /a/very/lo");
  REQUIRE(cut);
  CHECK(cut->page == "/a/very/lo");
  CHECK_FALSE(lines.parse(haproxy_line + " more"));
}

TEST_CASE("JSON lines of nginx, Caddy and others", "[monitor]") {
  auto lines = parser();
  const auto nginx = lines.parse(
      R"({"time_iso8601":"2015-05-17T12:00:00+00:00","remote_addr":"192.0.2.1","request":"GET /a\u002fb?c HTTP/1.1","status":"200","body_bytes_sent":"12","request_time":"0.5","http_user_agent":"x \"y\"","extra":{"status":500,"deep":[{"status":501}]}})");
  REQUIRE(nginx);
  CHECK(nginx->time == noon);
  CHECK(nginx->page == "/a/b");
  CHECK(nginx->status == 200);
  CHECK(nginx->bytes == 12);
  CHECK(nginx->latency == 500ms);
  CHECK(nginx->agent == "x \"y\"");
  const auto caddy = lines.parse(
      R"({"level":"info","ts":1431864000.25,"request":{"remote_ip":"192.0.2.2","method":"GET","host":"www","uri":"/z?1","headers":{"User-Agent":["curl"],"Referer":["r"]}},"duration":0.001,"size":99,"status":404})");
  REQUIRE(caddy);
  CHECK(caddy->time == noon + 250ms);
  CHECK(caddy->client == "192.0.2.2");
  CHECK(caddy->server == "www");
  CHECK(caddy->page == "/z");
  CHECK(caddy->agent == "curl");
  CHECK(caddy->referrer == "r");
  CHECK(caddy->latency == 1ms);
  CHECK(caddy->status == 404);
}

TEST_CASE("JSON that is no request does not parse", "[monitor]") {
  auto lines = parser({"json"});
  const std::vector<std::string> wrong = {
      R"({"version":6,"timestamp":1446249499322,"server_zones":{"a":{"status":200}}})",
      R"({"status":"two hundred"})",
      R"({"status":200)",
      R"(["status",200])",
      R"({"status":1e400})",
      "{}",
      "200"};
  for (const auto& line : wrong) {
    INFO(line);
    CHECK_FALSE(lines.parse(line));
  }
  const std::string deep = R"({"status":200,"a":)" + std::string(100000, '[');
  CHECK_FALSE(lines.parse(deep));
}

TEST_CASE("lines of several formats may be mixed", "[monitor]") {
  auto lines = parser();
  for (int round = 0; round < 3; ++round) {
    CHECK(lines.parse(combined_line));
    CHECK(lines.parse(haproxy_line));
    CHECK(lines.parse(R"({"status":200})"));
    CHECK_FALSE(lines.parse("nothing of the kind"));
  }
}

TEST_CASE("a format that cannot work is refused with the reason", "[monitor]") {
  CHECK(error_of("fancy").find("is no log format") != std::string::npos);
  CHECK(error_of("%h%u %s").find("nothing stands between field 1") != std::string::npos);
  CHECK(error_of("%h %{Referer").find("ends inside a directive") != std::string::npos);
  CHECK(error_of("%l %u").find("of use") != std::string::npos);
  CHECK(error_of("nginx:$").find("without a variable") != std::string::npos);
  CHECK(error_of("nginx:plain").find("holds no field") != std::string::npos);
}

// Whatever comes, parsing ends, stays within the line (the sanitizers see to that), and gives
// values within their limits.
TEST_CASE("damaged lines of all formats are parsed or not, and nothing else", "[monitor]") {
  auto lines = parser(
      {"combined",
       "common",
       "haproxy",
       "json",
       "$remote_addr $status $request_time",
       "%h %{x}t \"%r\" %D"});
  const std::vector<std::string> seeds = {
      combined_line,
      haproxy_line,
      R"({"status":200,"request":{"uri":"/a","headers":{"User-Agent":["x"]}},"duration":1.5})",
      "h 200 0.1",
      "h [ \"GET \\\" / HTTP\" 17"};
  std::string alphabet =
      "\"\\[]{}:/ -+.,0123456789%$\xff\xc3"
      "aT";
  alphabet.push_back('\0');
  std::mt19937 random(20150517);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 20000; ++round) {
    auto line = seeds[below(seeds.size())];
    for (auto changes = below(6); changes > 0 && !line.empty(); --changes) {
      const auto at = below(line.size());
      const char letter = alphabet[below(alphabet.size())];
      if (below(3) == 0) {
        line.erase(at, below(8));
      } else if (below(2) == 0) {
        line.insert(at, below(4) + 1, letter);
      } else {
        line[at] = letter;
      }
    }
    const auto request = lines.parse(line);
    if (!request) continue;
    CHECK(request->status.value_or(0) < 1000);
    CHECK(request->latency.value_or(0us) >= 0us);
  }
}
