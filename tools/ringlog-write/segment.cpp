// SPDX-License-Identifier: Apache-2.0
//
// Reading pending files.
#include "tools/ringlog-write/segment.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "tools/ringlog-write/markers.hpp"

namespace ringcast::ringlog {

bool Segment::read_line(std::string& line) {
  if (!std::getline(file_, line) || file_.eof()) return false;
  read_ += line.size() + 1;
  return true;
}

std::optional<OfferedRecord> Segment::next() {
  std::string line;
  while (read_line(line)) {
    auto head = parse_pending_head(line);
    if (!head) {
      ++strange_;
      continue;
    }
    auto* const lines = std::get_if<Lines>(&head->record.body);
    for (std::uint64_t i = 0; i < head->lines; ++i) {
      if (!read_line(line)) return std::nullopt;
      if (lines != nullptr) lines->lines.push_back(line);
    }
    whole_ = read_;
    return OfferedRecord{std::move(head->record), std::move(head->daemon)};
  }
  return std::nullopt;
}

std::string segment_path(const std::string& path, const ConfigurationId& configuration) {
  return path + ".pending-" + to_string(configuration);
}

std::map<ConfigurationId, Table> find_segments(const std::string& path) {
  std::map<ConfigurationId, Table> found;
  const std::filesystem::path file(path);
  const auto head = file.filename().string() + ".pending-";
  auto directory = file.parent_path();
  if (directory.empty()) directory = ".";
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(directory, error)) {
    const auto name = item.path().filename().string();
    if (!name.starts_with(head)) continue;
    auto configuration = parse_configuration_id(std::string_view(name).substr(head.size()));
    if (!configuration) continue;
    auto& table = found[std::move(configuration).value()];
    Segment segment(item.path().string());
    while (const auto offered = segment.next()) {
      (void)table.add(offered->record.producer, range_of(offered->record));
    }
  }
  return found;
}

}  // namespace ringcast::ringlog
