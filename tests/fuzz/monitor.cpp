// SPDX-License-Identifier: Apache-2.0
//
// Log lines as strangers make web servers write them, and format strings as people write them.
// The first byte chooses the formats: the usual ones, or the first line of the input as one of
// Apache's or nginx's. Each line comes a little later than the one before; in the end both
// reports are made. Tables are small, so that they overflow.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "tools/ringlog-monitor/analysis.hpp"
#include "tools/ringlog-monitor/json_report.hpp"
#include "tools/ringlog-monitor/text_report.hpp"

namespace ringcast::fuzz {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t top = 5;

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void check_reports(const monitor::Analysis& analysis) {
  std::string json;
  monitor::append_json(json, {.analysis = analysis, .top = top});
  check(nlohmann::json::accept(json), "the report is JSON");
  check(json.find('\n') + 1 == json.size(), "on one line");
  std::string text;
  monitor::append_report(text, analysis, top);
  check(!text.empty() && text.back() == '\n', "the report in words ends its last line");
}

}  // namespace

void monitor(Bytes input) {
  if (input.empty()) return;
  const auto kind = std::to_integer<unsigned>(input[0]);
  std::string_view text(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  std::vector<std::string> formats;
  if (kind % 3 != 0) {
    formats.emplace_back(kind % 3 == 1 ? "apache:" : "nginx:");
    formats.back() += take_line(text);
  }
  const HeapMeter heap;
  auto parser = monitor::LineParser::make(formats);
  if (!parser) {
    check_refusal(parser.error());
    return;
  }
  monitor::AnalysisOptions options;
  options.limits = {.counters = 8, .servers = 4, .visits = 8};
  options.server = static_cast<monitor::ServerKey>(kind / 3 % 3);
  options.time = kind >= 128 ? monitor::TimeSource::log : monitor::TimeSource::arrival;
  monitor::Analysis analysis(std::move(*parser), options);
  monitor::Instant now{std::chrono::hours{400'000}};
  std::uint64_t lines = 0;
  while (!text.empty()) {
    const auto line = take_line(text);
    analysis.add_line(line, {.daemon = "d", .publisher = line.substr(0, 1)}, now);
    now += milliseconds{line.size() * 37};
    ++lines;
  }
  const auto& all = analysis.figures().all();
  check(all.lines == lines && all.unparsed <= lines, "each line is counted once");
  check(all.total.requests + all.unparsed == lines, "each line is a request or unparsed");
  check(analysis.figures().servers().all().size() <= 5, "servers are bounded, the others are one");
  check_reports(analysis);
  heap.check_peak((std::size_t{4} << 20U) + 64 * input.size(), "figures are bounded");
}

}  // namespace ringcast::fuzz
