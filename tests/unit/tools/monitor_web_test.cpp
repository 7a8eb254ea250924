// SPDX-License-Identifier: Apache-2.0
//
// What the web server answers, without a socket: JSON, metrics, who may ask.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/web/access.hpp"
#include "tools/ringlog-monitor/web/json_api.hpp"
#include "tools/ringlog-monitor/web/listen_address.hpp"
#include "tools/ringlog-monitor/web/metrics.hpp"
#include "tools/ringlog-monitor/web/open_metrics.hpp"
#include "tools/ringlog-monitor/web/page.hpp"
#include "tools/ringlog-monitor/web/tables.hpp"
#include "tools/ringlog-monitor/web/work_budget.hpp"

using namespace ringcast;
using namespace ringcast::monitor;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr Instant start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h;

AnalysisOptions options() {
  AnalysisOptions made;
  made.recent_lines = 100;
  made.limits.clicks = 1000;
  return made;
}

struct Served {
  GroupAnalyses analyses{*LineParser::make({}), options(), {"web", "api"}};
  JsonApi api{analyses, nullptr, false};
  std::vector<std::string> groups = {"web"};

  void add(const std::string& page, int status = 200, const std::string& server = "d1") {
    analyses.add_line(
        R"({"remote_addr":"192.0.2.7","uri":")" + page + R"(","status":)" + std::to_string(status) +
            R"(,"bytes":10,"duration_ms":5})",
        {server, "p", groups},
        start);
  }
  HttpResponse get(const std::string& path, std::map<std::string, std::string> query = {}) const {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query.insert(query.begin(), query.end());
    return api.answer(request);
  }
  json ask(const std::string& path, std::map<std::string, std::string> query = {}) const {
    const auto response = get(path, std::move(query));
    CHECK(response.status == 200);
    return json::parse(response.body);
  }
};

Table numbers() {
  Table table;
  table.fields = {{"name", true}, {"count"}};
  table.rows = {{"Beta", 2}, {"alpha", 10}, {"gamma", nullptr}, {"delta 10", 7}};
  table.known = 4;
  return table;
}

std::string names(const TableQuery& query) {
  const auto answered = answer(numbers(), query);
  if (!answered) return answered.error().message;
  std::string list;
  for (const auto& row : answered->at("rows")) {
    list += row.at("name").get<std::string>() + ",";
  }
  return list;
}

Access::Verdict judge(const Access& access, const HttpRequest& request) {
  return access.judge(request);
}

}  // namespace

TEST_CASE("a table is filtered by text in small or capital letters, or by a number", "[web]") {
  CHECK(names({}) == "Beta,alpha,gamma,delta 10,");
  CHECK(names({.text = "BETA"}) == "Beta,");
  CHECK(names({.text = "10"}) == "alpha,delta 10,");
  CHECK(names({.text = "10", .field = "name"}) == "delta 10,");
  CHECK(names({.text = ">2", .field = "count"}) == "alpha,delta 10,");
  CHECK(names({.text = ">=2", .field = "count"}) == "Beta,alpha,delta 10,");
  CHECK(names({.text = "<7", .field = "count"}) == "Beta,");
  CHECK(names({.text = "=10", .field = "count"}) == "alpha,");
  CHECK(names({.text = ">x", .field = "count"}).empty());
  CHECK(names({.text = "x", .field = "odd"}) == "no field \"odd\"; there are name, count");
}

TEST_CASE("a table is sorted by a field and cut; how many fit is said", "[web]") {
  CHECK(names({.sort = "count"}) == "alpha,delta 10,Beta,gamma,");
  CHECK(names({.sort = "count", .is_ascending = true}) == "gamma,Beta,delta 10,alpha,");
  CHECK(names({.sort = "name", .is_ascending = true}) == "Beta,alpha,delta 10,gamma,");
  const auto cut = *answer(numbers(), {.limit = 1});
  CHECK(cut.at("rows").size() == 1);
  CHECK(cut.at("matching") == 4);
  CHECK(cut.at("known") == 4);
}

TEST_CASE("every table that is named can be made, and has its fields in every row", "[web]") {
  Served served;
  served.add("/a", 500);
  served.analyses.add_line("odd", {"d1", "p", served.groups}, start);
  for (const auto name : table_names) {
    const auto table = make_table(name, served.analyses.all());
    REQUIRE(table);
    CHECK((name == "alerts" || name == "referrers" || name == "agents" || !table->rows.empty()));
    for (const auto& row : table->rows) {
      CHECK(row.size() == table->fields.size());
    }
  }
  CHECK_FALSE(make_table("odd", served.analyses.all()));
}

TEST_CASE("the API gives the figures of all and of each group", "[web]") {
  Served served;
  served.add("/a");
  served.groups = {"api"};
  served.add("/b", 404);
  CHECK(served.ask("/api/groups").at("groups").size() == 2);
  CHECK(served.ask("/api/figures").at("requests") == 2);
  CHECK(served.ask("/api/figures", {{"group", "api"}}).at("errors") == 1);
  CHECK(served.ask("/api/figures", {{"top", "0"}}).at("pages").at("list").empty());
  const auto pages = served.ask("/api/table", {{"name", "pages"}, {"group", "web"}});
  REQUIRE(pages.at("rows").size() == 1);
  CHECK(pages.at("rows")[0].at("key") == "/a");
  served.analyses.advance(start + 1s);
  const auto recent = served.ask("/api/history");
  CHECK(recent.at("requests") == json::array({2.0}));
  CHECK(recent.at("p50_ms").size() == 1);
  CHECK(recent.at("step") == 1);
}

TEST_CASE("the tail is filtered by field, and goes on where it was", "[web]") {
  Served served;
  served.add("/a", 200, "d1");
  served.add("/b", 404, "d2");
  served.add("/c", 200, "d2");
  const auto seqs = [&](std::map<std::string, std::string> query) {
    std::string list;
    const auto answered = served.ask("/api/tail", std::move(query));
    for (const auto& line : answered.at("lines")) {
      list += line.at("seq").dump();
    }
    return list;
  };
  CHECK(seqs({}) == "123");
  CHECK(seqs({{"after", "2"}}) == "3");
  CHECK(seqs({{"limit", "2"}}) == "23");
  CHECK(seqs({{"text", "404"}, {"field", "status"}}) == "2");
  CHECK(seqs({{"text", "D2"}, {"field", "server"}}) == "23");
  CHECK(seqs({{"text", "/a"}, {"field", "page"}}) == "1");
  CHECK(seqs({{"text", "192.0.2"}, {"field", "client"}}) == "123");
  CHECK(seqs({{"text", "d1"}}) == "1");
}

TEST_CASE("the way of a visitor is asked for by the id in the table of those online", "[web]") {
  Served served;
  served.add("/a", 200, "d1");
  served.add("/b", 404, "d2");
  const auto online = served.ask("/api/table", {{"name", "online"}});
  const std::string id = online.at("rows")[0].at("id");
  const auto way = served.ask("/api/clicks", {{"id", id}});
  REQUIRE(way.at("clicks").size() == 2);
  CHECK(way.at("earlier") == 0);
  CHECK(way.at("clicks")[0].at("server") == "d1");
  CHECK(way.at("clicks")[1].at("page") == "/b");
  CHECK(way.at("clicks")[1].at("status") == 404);
  CHECK(served.get("/api/clicks", {{"id", "0"}}).status == 404);
}

TEST_CASE("what the API cannot answer has its status and a sentence", "[web]") {
  Served served;
  const auto status = [&](const std::string& path, std::map<std::string, std::string> query) {
    const auto response = served.get(path, std::move(query));
    const auto body = json::parse(response.body);
    CHECK(body.at("status") == response.status);
    CHECK_FALSE(body.at("error").get<std::string>().empty());
    return response.status;
  };
  CHECK(status("/api/", {}) == 404);
  CHECK(status("/api/../etc/passwd", {}) == 404);
  CHECK(status("/api/figures", {{"group", "odd"}}) == 404);
  CHECK(status("/api/figures", {{"tip", "1"}}) == 400);
  CHECK(status("/api/figures", {{"top", "10001"}}) == 400);
  CHECK(status("/api/figures", {{"top", "-1"}}) == 400);
  CHECK(status("/api/history", {{"range", "odd"}}) == 400);
  CHECK(status("/api/table", {{"name", "odd"}}) == 404);
  CHECK(status("/api/table", {{"name", "pages"}, {"sort", "odd"}}) == 400);
  CHECK(status("/api/table", {{"name", "pages"}, {"order", "up"}}) == 400);
  CHECK(status("/api/table", {{"name", "pages"}, {"text", std::string(2000, 'x')}}) == 400);
  CHECK(status("/api/tail", {{"field", "odd"}}) == 400);
}

TEST_CASE("an event is one line of valid JSON, whatever a log holds", "[web]") {
  Served served;
  served.add("/<script>alert(1)</script>\\n\\ndata: odd\\u2028");
  served.analyses.add_line("\xff\n\ndata: {}\n\n", {"d1", "p", served.groups}, start);
  const auto event = served.api.event("web");
  const std::string head = "event: figures\ndata: ";
  REQUIRE(event.starts_with(head));
  REQUIRE(event.ends_with("\n\n"));
  const auto data = event.substr(head.size(), event.size() - head.size() - 2);
  CHECK(data.find('\n') == std::string::npos);
  CHECK(json::parse(data).at("figures").at("lines") == 2);
}

TEST_CASE("metrics are families with help and end, and any name is a label", "[web]") {
  OpenMetrics metrics;
  metrics.family("a", OpenMetrics::Type::counter, "", "What a is.");
  metrics.sample("_total", {{"name", "x\"\\\n\xff"}}, std::uint64_t{5});
  metrics.family("b_seconds", OpenMetrics::Type::gauge, "seconds", "What b is.");
  metrics.sample("", {}, 0.25);
  const auto text = std::move(metrics).finish();
  CHECK(
      text ==
      "# TYPE a counter\n# HELP a What a is.\na_total{name=\"x\\\"\\\\\\\\\\\\n\\\\xff\"} 5\n"
      "# TYPE b_seconds gauge\n# UNIT b_seconds seconds\n# HELP b_seconds What b is.\n"
      "b_seconds 0.25\n# EOF\n");
  CHECK(number_text(1) == "1.0");
  CHECK(number_text(1e30) == "1e+30");
}

TEST_CASE("no family of the metrics is interrupted, and no sample stands twice", "[web]") {
  Served served;
  served.add("/a", 200, "d\xff");
  served.add("/a", 500, "d\xfe");
  HttpServer::Counters http;
  http.responses[200] = 3;
  const RingState ring;
  const auto text = metrics_text({served.analyses, &ring, http, {}});
  std::istringstream lines(text);
  std::string line;
  std::string family;
  std::set<std::string> families;
  std::set<std::string> samples;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.rfind(' ') - 7);
      CHECK(families.insert(family).second);
    } else if (!line.starts_with("#")) {
      CHECK(line.starts_with(family));
      CHECK(samples.insert(line.substr(0, line.rfind(' '))).second);
    }
  }
  CHECK(text.ends_with("\n# EOF\n"));
  const auto has = [&](const std::string& sample) {
    return text.find("\n" + sample + "\n") != std::string::npos;
  };
  CHECK(has(R"(ringlog_responses_total{group="web",code="500"} 1)"));
  CHECK(has(R"(ringlog_latency_seconds_bucket{group="web",le="0.005"} 2)"));
  CHECK(has(R"(ringlog_latency_seconds_bucket{group="web",le="0.0025"} 0)"));
  CHECK(has(R"(ringlog_latency_seconds_count{group="web"} 2)"));
  CHECK(has(R"(ringlog_http_responses_total{code="200"} 3)"));
}

TEST_CASE("an address to listen at is a port, or a host with one", "[web]") {
  const auto url = [](const std::string& text) {
    const auto address = parse_listen_address(text);
    return address ? url_of(*address) : "";
  };
  CHECK(url("8080") == "http://127.0.0.1:8080/");
  CHECK(url(":8080") == "http://127.0.0.1:8080/");
  CHECK(url("[::1]:80") == "http://[::1]:80/");
  CHECK(url("host.example:0") == "http://host.example:0/");
  for (const auto* const wrong :
       {"", ":", "a:", "a", "::1:80", "[::1]", "[]:80", "[a]:80", "a:70000", "a/b:80", "a b:80"}) {
    CHECK(url(wrong).empty());
  }
  const auto listener = listen_at({"127.0.0.1", 0});
  REQUIRE(listener);
  CHECK(listener->is_loopback);
  CHECK(listener->bound.port != 0);
  CHECK_FALSE(listen_at(listener->bound));
  CHECK_FALSE(listen_at({"0.0.0.0", 0})->is_loopback);
}

TEST_CASE("with a token only who has it may ask", "[web]") {
  const Access access("0123456789abcdef", {}, 80);
  HttpRequest request;
  request.host = "localhost";
  CHECK(judge(access, request) == Access::Verdict::no_token);
  request.authorization = "Bearer 0123456789abcdeF";
  CHECK(judge(access, request) == Access::Verdict::no_token);
  request.authorization = "bearer 0123456789abcdef";
  CHECK(judge(access, request) == Access::Verdict::allowed);
  request.authorization.clear();
  CHECK_FALSE(access.log_in("odd"));
  const auto cookie = access.log_in("0123456789abcdef");
  REQUIRE(cookie);
  CHECK(cookie->find("HttpOnly") != std::string::npos);
  CHECK(cookie->find("SameSite=Strict") != std::string::npos);
  CHECK(cookie->find("0123456789abcdef") == std::string::npos);
  request.cookie = "other=1; " + cookie->substr(0, cookie->find(';'));
  CHECK(judge(access, request) == Access::Verdict::allowed);
  CHECK(judge(Access("0123456789abcdef", {}, 80), request) == Access::Verdict::no_token);
  request.cookie = "ringlog-80=";
  CHECK(judge(access, request) == Access::Verdict::no_token);
  CHECK(check_token("0123456789abcdef").empty());
  CHECK_FALSE(check_token("0123456789abcde").empty());
  CHECK_FALSE(check_token("0123456789 abcdef").empty());
}

TEST_CASE("without a token a foreign name of the host is refused", "[web]") {
  const Access access("", {"localhost", "Web1"}, 80);
  const auto allows = [&](const std::string& host) {
    HttpRequest request;
    request.host = host;
    return judge(access, request) == Access::Verdict::allowed;
  };
  CHECK(allows("127.0.0.1:80"));
  CHECK(allows("[::1]:80"));
  CHECK(allows("LOCALHOST:80"));
  CHECK(allows("web1"));
  CHECK_FALSE(allows("web1.evil.example:80"));
  CHECK_FALSE(allows("127.0.0.1.evil.example"));
  CHECK_FALSE(allows(""));
  CHECK_FALSE(access.log_in(""));
}

TEST_CASE("readers take their share of the time and no more", "[web]") {
  WorkBudget budget;
  const WorkBudget::Clock::time_point now{1h};
  CHECK(budget.allows(now));
  budget.take(600ms);
  CHECK_FALSE(budget.allows(now));
  CHECK_FALSE(budget.allows(now + 200ms));
  CHECK(budget.next() > now + 200ms);
  CHECK(budget.allows(budget.next()));
  CHECK(budget.allows(now + 500ms));
  CHECK(budget.next() == now + 500ms);
}

TEST_CASE("the page is whole, needs nothing from elsewhere, and names all it runs", "[web]") {
  const auto page = make_page();
  CHECK(page.html.find("@STYLE@") == std::string::npos);
  CHECK(page.html.find("@SCRIPT@") == std::string::npos);
  CHECK(page.html.find(" src=") == std::string::npos);
  CHECK(page.html.find("@import") == std::string::npos);
  CHECK(page.html.find(" style=") == std::string::npos);
  CHECK(page.html.find("innerHTML") == std::string::npos);
  CHECK(page.security_policy.find("unsafe") == std::string::npos);
  CHECK(page.security_policy.starts_with("default-src 'none'; script-src 'sha256-"));
}
