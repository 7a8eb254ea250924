// SPDX-License-Identifier: Apache-2.0
//
// Reading files for their reports, and comparing those.
#include "tools/ringlog-write/file_report.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog-write/entry_text.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/sparse_lines.hpp"

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

// The snapshot of the sidecar, if there is one.
std::optional<FileState> snapshot_of(const std::string& path) {
  std::ifstream file(sidecar_path(path), std::ios::binary);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  auto state = parse_snapshot(line, sidecar_path(path));
  return state ? std::optional(std::move(state).value()) : std::nullopt;
}

// Goes through a file line by line from where it begins, with the chain so far.
class ChainReader {
 public:
  ChainReader(const std::string& path, const FilePoint& begins)
      : file_(path, std::ios::binary), path_(path), here_(begins) {
    file_.seekg(static_cast<std::streamoff>(begins.length));
  }

  [[nodiscard]] Result<void> opened() const {
    if (!file_.is_open()) return system_error(path_, "cannot open", errno);
    const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (here_.length > 0 || !file.is_open() || first_data(file.get(), 0) == 0) return {};
    struct stat status {};
    if (::fstat(file.get(), &status) == 0 && status.st_size == 0) return {};
    return Error{
        Errc::io,
        path_ + ": its front was released, and only " + sidecar_path(path_) +
            " says where it begins; bring that back"};
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

bool is_same(const FilePoint& one, const FilePoint& other) {
  return one.length == other.length && one.chain == other.chain;
}

// Places behind that length.
std::vector<FilePoint> behind(std::uint64_t length, const std::vector<FilePoint>& points) {
  const auto first = std::partition_point(
      points.begin(), points.end(), [&](const auto& point) { return point.length <= length; });
  return {first, points.end()};
}

// Up to the last place that both reports have and at which they agree.
FileComparison compare_points(const FileReport& first, const FileReport& second) {
  const auto& later = first.begins.length > second.begins.length ? first.begins : second.begins;
  const auto one = behind(later.length, first.points);
  const auto other = behind(later.length, second.points);
  FileComparison comparison;
  comparison.alike = later;
  const auto count = std::min(one.size(), other.size());
  std::size_t same = 0;
  while (same < count && is_same(one[same], other[same])) {
    ++same;
  }
  if (same > 0) comparison.alike = one[same - 1];
  comparison.until = same < one.size() ? one[same] : first.end;
  if (same < count) comparison.kind = FileComparison::Kind::differ;
  return comparison;
}

FileReport read_report(const std::string& path, ChainReader& reader, const FilePoint& claim) {
  FileReport report;
  report.name = path;
  report.is_file = true;
  report.begins = reader.here();
  bool is_met = claim.length == report.begins.length;
  auto next = (report.begins.length / every_bytes + 1) * every_bytes;
  while (reader.next()) {
    const auto& here = reader.here();
    if (here.length >= next) {
      report.points.push_back(here);
      next = (here.length / every_bytes + 1) * every_bytes;
    }
    if (here.length == claim.length) is_met = here.chain == claim.chain;
  }
  report.end = reader.here();
  report.rest = reader.rest();
  if (!is_met) {
    report.problem = path;
    report.problem += ": its first " + std::to_string(claim.length) +
                      " bytes are not what its writer wrote, by " + sidecar_path(path) +
                      "; another program changed it, or a disk";
  }
  return report;
}

}  // namespace

// A writer may release what is being read: then once more, from where it begins now.
Result<FileReport> report_of_file(const std::string& path) {
  constexpr int tries = 5;
  for (int i = 1;; ++i) {
    const auto state = snapshot_of(path).value_or(FileState{});
    ChainReader reader(path, state.front.begins);
    if (auto opened = reader.opened(); !opened) return opened.error();
    auto report = read_report(path, reader, state.end);
    if (auto read = reader.read_well(); !read) return read.error();
    const auto now = snapshot_of(path).value_or(FileState{});
    const bool has_moved = now.front.begins != state.front.begins;
    if (report.problem.empty() || !has_moved || i == tries) return report;
  }
}

Result<std::optional<std::uint64_t>> chain_at(const std::string& path, std::uint64_t length) {
  const auto begins = snapshot_of(path).value_or(FileState{}).front.begins;
  ChainReader reader(path, begins);
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
  if (report.begins != FilePoint{}) json["begins"] = point_json(report.begins);
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
  const auto begins = json.contains("begins") ? parse_point(field("begins")) : FilePoint{};
  const auto points = field("points");
  const auto rest = field("rest");
  if (!end || !begins || !points.is_array() || !rest.is_number_unsigned()) return malformed;
  FileReport report;
  report.name = name;
  report.begins = *begins;
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
  const bool first_is_shorter = first.end.length < second.end.length;
  const auto& shorter = first_is_shorter ? first : second;
  const auto& longer = first_is_shorter ? second : first;
  auto comparison = compare_points(first, second);
  if (comparison.kind == Kind::differ) return comparison;
  if (shorter.end.length < longer.begins.length) {
    comparison.kind = Kind::apart;
    return comparison;
  }
  if (first.end.length == second.end.length) {
    comparison.kind = is_same(first.end, second.end) ? Kind::equal : Kind::differ;
    if (comparison.kind == Kind::equal) comparison.alike = first.end;
    return comparison;
  }
  comparison.kind = first_is_shorter ? Kind::first_is_beginning : Kind::second_is_beginning;
  const auto& points = longer.points;
  const bool is_known = is_same(shorter.end, longer.begins) ||
                        std::any_of(points.begin(), points.end(), [&](const FilePoint& point) {
                          return is_same(point, shorter.end);
                        });
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
