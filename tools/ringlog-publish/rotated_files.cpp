// SPDX-License-Identifier: Apache-2.0
//
// Looking beside a log for what was its content.
#include "tools/ringlog-publish/rotated_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

namespace ringcast::ringlog {

namespace {

namespace fs = std::filesystem;

// ".1", "-20260102", ".2026-01-02_03": what logrotate and its like append.
bool is_rotation(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix[0] != '.' && suffix[0] != '-')) return false;
  constexpr std::string_view digits = "0123456789";
  return digits.find(suffix[1]) != std::string_view::npos &&
         suffix.find_first_not_of("0123456789._-", 1) == std::string_view::npos;
}

struct Candidate {
  std::string path;
  fs::file_time_type written;
};

std::vector<Candidate> candidates(const fs::path& log, fs::file_time_type since) {
  const auto directory = log.has_parent_path() ? log.parent_path() : fs::path(".");
  const auto name = log.filename().string();
  std::vector<Candidate> found;
  std::error_code error;
  fs::directory_iterator item(directory, error);
  for (; !error && item != fs::directory_iterator(); item.increment(error)) {
    const auto other = item->path().filename().string();
    if (!other.starts_with(name) || !is_rotation(std::string_view(other).substr(name.size()))) {
      continue;
    }
    std::error_code unknown;
    const auto written = fs::last_write_time(item->path(), unknown);
    if (!unknown && written >= since) found.push_back({item->path().string(), written});
  }
  std::sort(found.begin(), found.end(), [](const auto& one, const auto& next) {
    return std::tie(one.written, one.path) < std::tie(next.written, next.path);
  });
  return found;
}

}  // namespace

bool is_compressed(std::string_view path) {
  constexpr std::array<std::string_view, 4> endings = {".gz", ".xz", ".zst", ".bz2"};
  return std::any_of(
      endings.begin(), endings.end(), [path](auto end) { return path.ends_with(end); });
}

std::vector<RotatedFile> rotated_since(const std::string& path, fs::file_time_type since) {
  std::vector<RotatedFile> files;
  for (auto& candidate : candidates(path, since)) {
    auto open = open_log(candidate.path);
    if (open.file) files.push_back({std::move(candidate.path), std::move(*open.file)});
  }
  return files;
}

bool is_copy(const LogFile& open, const CheckpointEntry& entry) {
  const auto bytes = entry.fingerprint.bytes;
  if (open.id == entry.id || bytes == 0 || open.size < bytes) return false;
  const auto fingerprint = fingerprint_of(open.file.get(), bytes);
  return fingerprint && *fingerprint == entry.fingerprint;
}

}  // namespace ringcast::ringlog
