// SPDX-License-Identifier: Apache-2.0
//
// verify: reports are read or made, and each is compared with the longest.
#include "tools/ringlog-write/verify_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tools/common/exit_codes.hpp"
#include "tools/common/json.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog-write/file_report.hpp"
#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

namespace {

using tools::ExitCode;
using tools::Json;

constexpr auto program = "ringlog-write verify";
constexpr auto example =
    "Example: ringlog-write verify /mnt/log1/access.log /mnt/log2/access.log\n"
    "Across hosts: ringlog-write verify --report access.log > log1.json, then on the other\n"
    "ringlog-write verify log1.json access.log\n"
    "Exit codes: 0 the same, or one is the beginning of the other; 1 different, or not readable; "
    "2 wrong usage.";

Result<FileReport> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(32, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (!looks_like_report(head)) return report_of_file(path);
  file.clear();
  file.seekg(0);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_report(text, path);
}

std::string size_of(const FilePoint& point) {
  return std::to_string(point.lines) + " lines, " + std::to_string(point.length) + " bytes";
}

std::string kept_of(const FileReport& report) {
  if (report.begins.length == 0) return {};
  return ", kept from byte " + std::to_string(report.begins.length) + " on";
}

struct Finding {
  std::string word;  // for --json
  std::string sentence;
  bool is_good{true};
};

Finding difference_of(
    const FileReport& one, const FileReport& other, const FileComparison& comparison) {
  Finding finding{"different", {}, false};
  finding.sentence = one.name + " and " + other.name + " differ between bytes " +
                     std::to_string(comparison.alike.length) + " and " +
                     std::to_string(comparison.until.length) + " (lines " +
                     std::to_string(comparison.alike.lines + 1) + " to " +
                     std::to_string(comparison.until.lines) + ")";
  if (!one.is_file || !other.is_file) return finding;
  const auto first = first_difference(one.name, other.name, comparison.alike);
  if (!first) return finding;
  finding.sentence = one.name + " and " + other.name + " differ from line " +
                     std::to_string(first->line) + " (byte " + std::to_string(first->offset) +
                     ") on\n  " + one.name + ": " + first->first + "\n  " + other.name + ": " +
                     first->second;
  return finding;
}

Finding finding_of(
    const FileReport& one, const FileReport& longest, const FileComparison& comparison) {
  if (comparison.kind == FileComparison::Kind::differ) {
    return difference_of(one, longest, comparison);
  }
  if (comparison.kind == FileComparison::Kind::apart) {
    return Finding{
        "apart",
        one.name + " ends at byte " + std::to_string(one.end.length) + ", and " + longest.name +
            " is kept from byte " + std::to_string(longest.begins.length) +
            " on: they have nothing in common that could be compared",
        false};
  }
  const auto from = std::max(one.begins.length, longest.begins.length);
  const auto since = from == 0 ? std::string()
                               : ", told by what both keep, from byte " + std::to_string(from) +
                                     " on, and its chain";
  if (comparison.kind == FileComparison::Kind::equal) {
    return Finding{"equal", one.name + " and " + longest.name + " are the same" + since};
  }
  Finding finding{
      "beginning",
      one.name + " is the beginning of " + longest.name + ", which has " +
          std::to_string(longest.end.lines - std::min(longest.end.lines, one.end.lines)) +
          " lines more" + since};
  if (comparison.untold > 0) {
    finding.sentence += "; as to its last " + std::to_string(comparison.untold) +
                        " bytes the report does not tell: verify where " + longest.name + " lies";
  }
  return finding;
}

ExitCode tell(const std::vector<FileReport>& reports, bool json) {
  const auto longest = std::max_element(
      reports.begin(), reports.end(), [](const FileReport& one, const FileReport& other) {
        return one.end.length < other.end.length;
      });
  tools::Output output(program, STDOUT_FILENO);
  bool is_good = true;
  const auto say = [&](const FileReport& report, const Finding& finding) {
    is_good = is_good && finding.is_good;
    const Json event = {
        {"event", finding.word},
        {"file", report.name},
        {"with", longest->name},
        {"begins", report.begins.length},
        {"bytes", report.end.length},
        {"lines", report.end.lines},
        {"sentence", finding.sentence}};
    output.buffer() += (json ? tools::one_line_json(event) : finding.sentence) + "\n";
    output.settle();
  };
  for (const auto& report : reports) {
    if (!report.problem.empty()) say(report, Finding{"damaged", report.problem, false});
    if (report.rest > 0) {
      say(report,
          Finding{
              "unfinished",
              report.name + ": its last " + std::to_string(report.rest) +
                  " bytes are no whole line; they were left out"});
    }
    if (&report == &*longest) continue;
    const auto comparison = compare(report, *longest);
    if (!comparison) {
      say(report, Finding{"unreadable", comparison.error().message, false});
    } else {
      say(report, finding_of(report, *longest, *comparison));
    }
  }
  if (reports.size() == 1 && is_good) {
    say(*longest,
        Finding{"good", longest->name + ": " + size_of(longest->end) + kept_of(*longest)});
  }
  const auto done = output.finish();
  return is_good ? done : ExitCode::failed;
}

}  // namespace

int verify_command(int argc, char** argv) {
  std::vector<std::string> paths;
  bool report_only = false;
  bool json = false;
  CLI::App app(
      "Compares files of a group's writers, or reports of them, by hash per range.", program);
  app.footer(example);
  app.add_option("FILE", paths, "Files of ringlog-write, or reports")->required();
  app.add_flag("--report", report_only, "Print a report of one FILE, to be compared elsewhere");
  app.add_flag("--json", json, "Print each finding as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_code_of(app, error);
  }
  if (report_only && paths.size() != 1) {
    tools::report(program, "--report is of one FILE");
    return static_cast<int>(ExitCode::usage);
  }
  std::vector<FileReport> reports;
  for (const auto& path : paths) {
    auto report = load(path);
    if (!report) {
      tools::report(program, report.error().message);
      return static_cast<int>(ExitCode::failed);
    }
    reports.push_back(std::move(report).value());
  }
  if (report_only) return static_cast<int>(tools::print_line(program, to_json(reports.front())));
  return static_cast<int>(tell(reports, json));
}

}  // namespace ringcast::ringlog
