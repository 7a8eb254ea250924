// SPDX-License-Identifier: Apache-2.0
//
// Reading files for their reports, and comparing those.
#include "tools/ringlog-write/file_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;
constexpr std::uint64_t every_bytes = std::uint64_t{1} << 20U;
constexpr std::size_t shown_bytes = 200;  // of a line that differs

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  (void)std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

// Goes through a file line by line, with the chain so far.
class ChainReader {
 public:
  explicit ChainReader(const std::string& path) : file_(path, std::ios::binary), path_(path) {}

  [[nodiscard]] Result<void> opened() const {
    if (file_.is_open()) return {};
    return system_error(path_, "cannot open", errno);
  }
  bool next() {
    if (!std::getline(file_, line_)) return false;
    if (file_.eof()) {
      rest_ = line_.size();
      return false;
    }
    here_.length += line_.size() + 1;
    ++here_.lines;
    here_.chain = chain_line(here_.chain, line_);
    return true;
  }
  [[nodiscard]] Result<void> read_well() const {
    if (!file_.bad()) return {};
    return Error{Errc::io, path_ + ": cannot be read to its end"};
  }
  [[nodiscard]] const FilePoint& here() const { return here_; }
  [[nodiscard]] std::uint64_t rest() const { return rest_; }

 private:
  std::ifstream file_;
  std::string path_;
  std::string line_;
  FilePoint here_;
  std::uint64_t rest_{0};
};

// What the snapshot of the sidecar vouches for, if there is one.
std::optional<FilePoint> vouched(const std::string& path) {
  std::ifstream file(sidecar_path(path), std::ios::binary);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto state = parse_snapshot(line, sidecar_path(path));
  return state ? std::optional(state->end) : std::nullopt;
}

std::optional<FilePoint> parse_point(const Json& json) {
  const bool fits = json.is_array() && json.size() == 3 && json[0].is_number_unsigned() &&
                    json[1].is_number_unsigned() && json[2].is_string();
  if (!fits) return std::nullopt;
  const auto text = json[2].get<std::string>();
  FilePoint point{json[0].get<std::uint64_t>(), json[1].get<std::uint64_t>(), 0};
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, point.chain, 16);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return point;
}

Json point_json(const FilePoint& point) {
  return Json::array({point.length, point.lines, hex(point.chain)});
}

// Up to the last place that both reports have and at which they agree.
FileComparison compare_points(const FileReport& first, const FileReport& second) {
  FileComparison comparison;
  const auto count = std::min(first.points.size(), second.points.size());
  std::size_t same = 0;
  while (same < count && first.points[same] == second.points[same]) {
    ++same;
  }
  if (same > 0) comparison.alike = first.points[same - 1];
  comparison.until = same < first.points.size() ? first.points[same] : first.end;
  if (same < count) comparison.kind = FileComparison::Kind::differ;
  return comparison;
}

}  // namespace

Result<FileReport> report_of_file(const std::string& path) {
  ChainReader reader(path);
  if (auto opened = reader.opened(); !opened) return opened.error();
  const auto claim = vouched(path);
  bool is_met = !claim || claim->length == 0;
  FileReport report;
  report.name = path;
  report.is_file = true;
  auto next = every_bytes;
  while (reader.next()) {
    const auto& here = reader.here();
    if (here.length >= next) {
      report.points.push_back(here);
      next = (here.length / every_bytes + 1) * every_bytes;
    }
    if (claim && here.length == claim->length) is_met = here.chain == claim->chain;
  }
  if (auto read = reader.read_well(); !read) return read.error();
  report.end = reader.here();
  report.rest = reader.rest();
  if (!is_met) {
    report.problem = path;
    report.problem += ": its first " + std::to_string(claim->length) +
                      " bytes are not what its writer wrote, by " + sidecar_path(path) +
                      "; another program changed it, or a disk";
  }
  return report;
}

Result<std::optional<std::uint64_t>> chain_at(const std::string& path, std::uint64_t length) {
  ChainReader reader(path);
  if (auto opened = reader.opened(); !opened) return opened.error();
  while (reader.here().length < length && reader.next()) {
  }
  if (auto read = reader.read_well(); !read) return read.error();
  const bool is_there = reader.here().length == length;
  return is_there ? std::optional(reader.here().chain) : std::nullopt;
}

std::string to_json(const FileReport& report) {
  Json json;
  json["ringlog_report"] = 1;
  json["file"] = report.name;
  json["end"] = point_json(report.end);
  json["rest"] = report.rest;
  Json points = Json::array();
  for (const auto& point : report.points) {
    points.push_back(point_json(point));
  }
  json["points"] = std::move(points);
  if (!report.problem.empty()) json["problem"] = report.problem;
  return tools::one_line_json(json);
}

bool looks_like_report(std::string_view text) { return text.starts_with("{\"ringlog_report\":"); }

Result<FileReport> parse_report(std::string_view text, const std::string& name) {
  const Error malformed{Errc::malformed, name + ": not a report of ringlog-write verify --report"};
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed;
  const auto field = [&](const char* word) {
    const auto it = json.find(word);
    return it == json.end() ? Json() : *it;
  };
  if (field("ringlog_report") != 1) {
    return Error{Errc::unsupported_version, name + ": a report of another version"};
  }
  const auto end = parse_point(field("end"));
  const auto points = field("points");
  const auto rest = field("rest");
  if (!end || !points.is_array() || !rest.is_number_unsigned()) return malformed;
  FileReport report;
  report.name = name;
  report.end = *end;
  report.rest = rest.get<std::uint64_t>();
  for (const auto& item : points) {
    const auto point = parse_point(item);
    if (!point) return malformed;
    report.points.push_back(*point);
  }
  const auto problem = field("problem");
  if (problem.is_string()) report.problem = name + ": " + problem.get<std::string>();
  return report;
}

Result<FileComparison> compare(const FileReport& first, const FileReport& second) {
  using Kind = FileComparison::Kind;
  auto comparison = compare_points(first, second);
  if (comparison.kind == Kind::differ) return comparison;
  if (first.end.length == second.end.length) {
    comparison.kind = first.end == second.end ? Kind::equal : Kind::differ;
    if (comparison.kind == Kind::equal) comparison.alike = first.end;
    return comparison;
  }
  const bool first_is_shorter = first.end.length < second.end.length;
  const auto& shorter = first_is_shorter ? first : second;
  const auto& longer = first_is_shorter ? second : first;
  comparison.kind = first_is_shorter ? Kind::first_is_beginning : Kind::second_is_beginning;
  const auto& points = longer.points;
  const bool is_known = std::find(points.begin(), points.end(), shorter.end) != points.end();
  if (is_known || shorter.end.length == 0) {
    comparison.alike = shorter.end;
  } else if (longer.is_file) {
    const auto chain = chain_at(longer.name, shorter.end.length);
    if (!chain) return chain.error();
    if (*chain == shorter.end.chain) {
      comparison.alike = shorter.end;
    } else {
      comparison.kind = Kind::differ;
    }
  } else {
    comparison.untold = shorter.end.length - comparison.alike.length;
  }
  return comparison;
}

Result<FirstDifference> first_difference(
    const std::string& first, const std::string& second, const FilePoint& alike) {
  std::array<std::ifstream, 2> files{
      std::ifstream(first, std::ios::binary), std::ifstream(second, std::ios::binary)};
  FirstDifference difference;
  difference.line = alike.lines;
  difference.offset = alike.length;
  for (auto& file : files) {
    file.seekg(static_cast<std::streamoff>(alike.length));
    if (!file) return Error{Errc::io, first + ": it or the other one cannot be read again"};
  }
  for (;;) {
    difference.first.clear();
    difference.second.clear();
    ++difference.line;
    const bool one = !std::getline(files[0], difference.first).fail();
    const bool other = !std::getline(files[1], difference.second).fail();
    if (one != other || difference.first != difference.second) break;
    if (!one) return Error{Errc::invalid_argument, first + ": does not differ"};
    difference.offset += difference.first.size() + 1;
  }
  difference.first.resize(std::min(difference.first.size(), shown_bytes));
  difference.second.resize(std::min(difference.second.size(), shown_bytes));
  return difference;
}

}  // namespace ringcast::ringlog
