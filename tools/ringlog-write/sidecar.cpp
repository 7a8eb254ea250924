// SPDX-License-Identifier: Apache-2.0
//
// The sidecar as text: "CHECKSUM JSON" per line, the first a snapshot, the others entries.
#include "tools/ringlog-write/sidecar.hpp"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog/chain.hpp"
#include "tools/ringlog/sealed_line.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;
constexpr int sidecar_version = 1;
constexpr std::uint64_t entries_bytes_max = std::uint64_t{4} << 20U;
constexpr std::size_t chain_digits = 16;

std::string hex(std::uint64_t value) {
  std::array<char, chain_digits + 1> text{};
  (void)std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Json> unsealed_object(std::string_view line) {
  auto json = unsealed_line(line);
  if (json && !json->is_object()) return std::nullopt;
  return json;
}

// Behind a good checksum stands only what we wrote; a field of another type is another
// version's and reads as its default.
std::uint64_t number(const Json& json, const char* field) {
  const auto it = json.find(field);
  return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

std::string text(const Json& json, const char* field) {
  const auto it = json.find(field);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& list(const Json& json, const char* field) {
  static const Json none = Json::array();
  const auto it = json.find(field);
  return it != json.end() && it->is_array() ? *it : none;
}

bool is_pair_of_numbers(const Json& json) {
  return json.is_array() && json.size() == 2 && json[0].is_number_unsigned() &&
         json[1].is_number_unsigned();
}

void put_position(Json& json, const std::optional<Position>& position) {
  if (!position) return;
  json["configuration"] = to_string(position->configuration);
  json["seq"] = position->seq;
  json["index"] = position->index;
}

std::optional<Position> get_position(const Json& json) {
  auto configuration = parse_configuration_id(text(json, "configuration"));
  if (!configuration) return std::nullopt;
  Position position;
  position.configuration = std::move(configuration).value();
  position.seq = number(json, "seq");
  position.index = static_cast<std::uint32_t>(number(json, "index"));
  return position;
}

Json addition_json(const ProducerId& id, const std::string& name, const std::vector<Range>& all) {
  Json ranges = Json::array();
  for (const auto& range : all) {
    ranges.push_back(Json::array({range.first, range.last}));
  }
  Json json;
  json["producer"] = to_string(id);
  json["name"] = name;
  json["ranges"] = std::move(ranges);
  return json;
}

std::vector<Addition> get_additions(const Json& json, const char* field) {
  std::vector<Addition> additions;
  for (const auto& item : list(json, field)) {
    const auto id = parse_producer(text(item, "producer"));
    if (!id) continue;
    for (const auto& pair : list(item, "ranges")) {
      if (!is_pair_of_numbers(pair)) continue;
      const Range range{pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()};
      if (range.first == 0 || range.first > range.last) continue;
      additions.push_back(Addition{Producer{*id, text(item, "name")}, range});
    }
  }
  return additions;
}

Json markers_json(const std::vector<FileMarker>& markers) {
  Json json = Json::array();
  for (const auto& marker : markers) {
    json.push_back(Json::array({marker.offset, marker.missing}));
  }
  return json;
}

std::vector<FileMarker> get_markers(const Json& json) {
  std::vector<FileMarker> markers;
  for (const auto& pair : list(json, "markers")) {
    if (!is_pair_of_numbers(pair)) continue;
    markers.push_back(FileMarker{pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()});
  }
  return markers;
}

std::string snapshot_line(const FileState& state) {
  Json json;
  json["ringlog_position"] = sidecar_version;
  json["group"] = state.group;
  json["length"] = state.length;
  json["lines"] = state.lines;
  json["chain"] = hex(state.chain);
  put_position(json, state.position);
  json["markers"] = markers_json(state.markers);
  Json table = Json::array();
  for (const auto& [id, entry] : state.table.entries()) {
    table.push_back(addition_json(id, entry.name, entry.seen.ranges()));
  }
  json["table"] = std::move(table);
  return sealed_line(json);
}

std::string entry_line(const FileEntry& entry) {
  Json json;
  json["length"] = entry.length;
  json["lines"] = entry.lines;
  json["chain"] = hex(entry.chain);
  put_position(json, entry.position);
  if (!entry.markers.empty()) json["markers"] = markers_json(entry.markers);
  Json added = Json::array();
  for (const auto& addition : entry.additions) {
    added.push_back(addition_json(addition.producer.id, addition.producer.name, {addition.range}));
  }
  json["added"] = std::move(added);
  return sealed_line(json);
}

FileEntry parse_entry(const Json& json) {
  FileEntry entry;
  entry.length = number(json, "length");
  entry.lines = number(json, "lines");
  entry.chain = parse_hex(text(json, "chain")).value_or(0);
  entry.position = get_position(json);
  entry.additions = get_additions(json, "added");
  entry.markers = get_markers(json);
  return entry;
}

Result<FileState> parse_snapshot(std::string_view line, const std::string& path) {
  const auto json = unsealed_object(line);
  if (!json || number(*json, "ringlog_position") == 0) {
    return Error{
        Errc::corrupt,
        path +
            ": damaged; move it and its file away, or start with --adopt to take the file as "
            "it is (lines that are sent again may then appear twice)"};
  }
  if (number(*json, "ringlog_position") != sidecar_version) {
    return Error{Errc::unsupported_version, path + ": written by a newer version of ringlog-write"};
  }
  FileState state;
  state.group = text(*json, "group");
  state.length = number(*json, "length");
  state.lines = number(*json, "lines");
  state.chain = parse_hex(text(*json, "chain")).value_or(0);
  state.position = get_position(*json);
  state.markers = get_markers(*json);
  for (const auto& addition : get_additions(*json, "table")) {
    (void)state.table.add(addition.producer, addition.range);
  }
  return state;
}

// The data behind an entry is there when it is long enough and its lines make the chain.
bool data_is_there(int fd, const FileState& before, const FileEntry& entry, std::uint64_t size) {
  if (entry.length < before.length || entry.length > size) return false;
  const auto data = read_part(fd, before.length, entry.length, "");
  if (!data) return false;
  const bool whole_lines = data->empty() || data->back() == '\n';
  return whole_lines && chain_text(before.chain, *data) == entry.chain;
}

Result<void> apply_entries(
    const std::string& path,
    std::string_view rest,
    FileState& state,
    std::vector<std::string>& notes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && errno != ENOENT) return system_error(path, "cannot open", errno);
  struct stat status {};
  if (file.is_open() && ::fstat(file.get(), &status) != 0) {
    return system_error(path, "cannot stat", errno);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < state.length) {
    return Error{
        Errc::corrupt,
        path + ": holds " + std::to_string(size) + " bytes, but its sidecar knows of " +
            std::to_string(state.length) +
            "; it was cut or replaced by another program; restore it, or move it and " +
            sidecar_path(path) + " away to begin a new one"};
  }
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto json =
        end == std::string_view::npos ? std::nullopt : unsealed_object(rest.substr(0, end));
    if (!json) break;
    const auto entry = parse_entry(*json);
    if (!data_is_there(file.get(), state, entry, size)) break;
    apply(state, entry);
    rest.remove_prefix(end + 1);
  }
  if (size > state.length) {
    notes.push_back(
        path + ": cut off " + std::to_string(size - state.length) +
        " bytes at its end whose writing was not completed; they count as not written");
  } else if (!rest.empty()) {
    notes.push_back(path + ": the last writes did not reach the disk and count as not written");
  }
  return {};
}

}  // namespace

void apply(FileState& state, const FileEntry& entry) {
  state.length = entry.length;
  state.lines = entry.lines;
  state.chain = entry.chain;
  if (entry.position) state.position = entry.position;
  for (const auto& addition : entry.additions) {
    (void)state.table.add(addition.producer, addition.range);
  }
  state.markers.insert(state.markers.end(), entry.markers.begin(), entry.markers.end());
}

std::string sidecar_path(const std::string& path) { return path + ".position"; }

Result<std::optional<FileState>> load_state(
    const std::string& path, std::vector<std::string>& notes) {
  auto content = read_file(sidecar_path(path));
  if (!content) return content.error();
  if (!content->has_value()) return std::optional<FileState>{};
  const std::string_view text(**content);
  const auto end = text.find('\n');
  auto state = parse_snapshot(text.substr(0, end), sidecar_path(path));
  if (!state) return state.error();
  const auto rest = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  if (auto applied = apply_entries(path, rest, *state, notes); !applied) return applied.error();
  return std::optional<FileState>(std::move(state).value());
}

Sidecar::Sidecar(std::string path, AppendFile entries)
    : path_(std::move(path)), entries_(std::move(entries)), snapshot_bytes_(entries_.length()) {}

Result<Sidecar> Sidecar::create(const std::string& path, const FileState& state) {
  const auto line = snapshot_line(state);
  if (auto replaced = replace_file(sidecar_path(path), line); !replaced) return replaced.error();
  auto entries = AppendFile::open(sidecar_path(path), line.size());
  if (!entries) return entries.error();
  return Sidecar(path, std::move(entries).value());
}

void Sidecar::append(const FileEntry& entry) { entries_.append(entry_line(entry)); }

bool Sidecar::wants_snapshot() const {
  return entries_.length() - snapshot_bytes_ > entries_bytes_max;
}

Result<void> Sidecar::snapshot(const FileState& state) {
  auto next = create(path_, state);
  if (!next) return next.error();
  *this = std::move(next).value();
  return {};
}

}  // namespace ringcast::ringlog
