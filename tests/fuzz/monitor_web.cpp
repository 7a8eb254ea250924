// SPDX-License-Identifier: Apache-2.0
//
// What readers of the monitor's page ask, of log lines as strangers make them. A line that begins
// with / is a path with its query, one that begins with @ a Host, an Authorization and a Cookie
// between tabs; any other is a log line. In the end the stream's event and the metrics are made.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "tools/ringlog-monitor/group_analyses.hpp"
#include "tools/ringlog-monitor/web/access.hpp"
#include "tools/ringlog-monitor/web/json_api.hpp"
#include "tools/ringlog-monitor/web/metrics.hpp"

namespace ringcast::fuzz {
namespace {

constexpr auto token = "a-token-of-the-monitor";

std::string_view take(std::string_view& text, char end_mark) {
  const auto end = std::min(text.find(end_mark), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

void check_lines(std::string_view text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char letter) {
    return letter == '\n' || static_cast<unsigned char>(letter) >= ' ';
  });
  check(is_plain, "nothing in it drives a terminal, or ends a line of a stream");
}

void check_answer(const monitor::HttpResponse& response) {
  const bool is_known = response.status == 200 || response.status == 400 || response.status == 404;
  check(is_known, "an answer has one of the statuses that are documented");
  if (!response.channel.empty()) return;
  check(nlohmann::json::accept(response.body), "an answer is JSON");
  check(response.body.find('\n') + 1 == response.body.size(), "on one line");
  check_lines(response.body);
}

void ask(const monitor::JsonApi& api, std::string_view line) {
  monitor::HttpRequest request;
  request.path = "/api/";
  request.path += take(line, '?').substr(1);
  while (!line.empty()) {
    auto pair = take(line, '&');
    const std::string name(take(pair, '='));
    request.query[name] = pair;
  }
  check_answer(api.answer(request));
}

void judge(const monitor::Access& access, std::string_view line) {
  monitor::HttpRequest request;
  request.host = take(line, '\t');
  request.authorization = take(line, '\t');
  request.cookie = line;
  const bool has_token = request.authorization.ends_with(token);
  const bool is_allowed = access.judge(request) == monitor::Access::Verdict::allowed;
  check(has_token || !is_allowed, "nobody is let in without the token");
}

void check_event(const std::string& event) {
  constexpr std::string_view head = "event: figures\ndata: ";
  check(event.starts_with(head) && event.ends_with("\n\n"), "an event has its head and its end");
  const auto data = event.substr(head.size(), event.size() - head.size() - 2);
  check(data.find('\n') == std::string::npos, "its data is one line");
  check(nlohmann::json::accept(data), "of JSON");
  check_lines(event);
}

}  // namespace

void monitor_web(Bytes input) {
  std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const HeapMeter heap;
  monitor::AnalysisOptions options;
  options.limits = {.counters = 8, .servers = 4, .visits = 8, .clicks = 32};
  options.recent_lines = 16;
  auto parser = monitor::LineParser::make({});
  monitor::GroupAnalyses analyses(*parser, options, {"web"});
  const monitor::JsonApi api(analyses, nullptr, true);
  const monitor::Access access(token, {"localhost"}, 80);
  monitor::Instant now{std::chrono::hours{400'000}};
  while (!text.empty()) {
    const auto line = take(text, '\n');
    if (line.starts_with('/')) {
      ask(api, line);
    } else if (line.starts_with('@')) {
      judge(access, line.substr(1));
    } else {
      analyses.add_line(line, {.daemon = line.substr(0, 1), .publisher = "p"}, now);
      now += std::chrono::milliseconds{line.size() * 37};
    }
  }
  check_event(api.event(""));
  const auto metrics = monitor::metrics_text({analyses, nullptr, {}, {}});
  check(metrics.ends_with("\n# EOF\n"), "the metrics have their end");
  check_lines(metrics);
  heap.check_peak((std::size_t{8} << 20U) + 64 * input.size(), "what is served is bounded");
}

}  // namespace ringcast::fuzz
