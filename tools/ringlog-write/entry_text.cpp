// SPDX-License-Identifier: Apache-2.0
//
// States and entries as JSON.
#include "tools/ringlog-write/entry_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog/sealed_line.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;
constexpr int sidecar_version = 1;
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
    const auto word = text(item, "as");
    const auto as = word == "loss" ? AddedAs::loss : word == "gap" ? AddedAs::gap : AddedAs::line;
    for (const auto& pair : list(item, "ranges")) {
      if (!is_pair_of_numbers(pair)) continue;
      const Range range{pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()};
      if (range.first == 0 || range.first > range.last) continue;
      additions.push_back(
          Addition{Producer{*id, text(item, "name")}, range, as, text(item, "daemon")});
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

Json table_json(const Table& table) {
  Json json = Json::array();
  for (const auto& [id, entry] : table.entries()) {
    json.push_back(addition_json(id, entry.name, entry.seen.ranges()));
  }
  return json;
}

Table get_table(const Json& json, const char* field) {
  Table table;
  for (const auto& addition : get_additions(json, field)) {
    (void)table.add(addition.producer, addition.range);
  }
  return table;
}

void put_point(Json& json, const FilePoint& point) {
  json["length"] = point.length;
  json["lines"] = point.lines;
  json["chain"] = hex(point.chain);
}

FilePoint get_point(const Json& json) {
  return FilePoint{
      number(json, "length"), number(json, "lines"), parse_hex(text(json, "chain")).value_or(0)};
}

Json front_json(const FileFront& front) {
  Json json;
  put_point(json, front.begins);
  json["table"] = table_json(front.table);
  if (!front.gaps.empty()) json["gaps"] = table_json(front.gaps);
  return json;
}

FileFront get_front(const Json& json) {
  const auto it = json.find("front");
  if (it == json.end() || !it->is_object()) return {};
  return FileFront{get_point(*it), get_table(*it, "table"), get_table(*it, "gaps")};
}

}  // namespace

std::string snapshot_line(const FileState& state) {
  Json json;
  json["ringlog_position"] = sidecar_version;
  json["group"] = state.group;
  put_point(json, state.end);
  put_position(json, state.position);
  json["markers"] = markers_json(state.markers);
  json["table"] = table_json(state.table);
  if (!state.gaps.empty()) json["gaps"] = table_json(state.gaps);
  if (state.front != FileFront{}) json["front"] = front_json(state.front);
  return sealed_line(json);
}

std::string entry_line(const FileEntry& entry) {
  Json json;
  put_point(json, entry.after);
  Json from;
  put_point(from, entry.before);
  json["from"] = std::move(from);
  put_position(json, entry.position);
  if (entry.time_ms != 0) json["time"] = entry.time_ms;
  if (!entry.markers.empty()) json["markers"] = markers_json(entry.markers);
  Json added = Json::array();
  for (const auto& addition : entry.additions) {
    auto item = addition_json(addition.producer.id, addition.producer.name, {addition.range});
    if (!addition.daemon.empty()) item["daemon"] = addition.daemon;
    if (addition.as == AddedAs::loss) item["as"] = "loss";
    if (addition.as == AddedAs::gap) item["as"] = "gap";
    added.push_back(std::move(item));
  }
  json["added"] = std::move(added);
  return sealed_line(json);
}

std::optional<FileEntry> parse_entry(std::string_view line, const FilePoint& before) {
  const auto json = unsealed_object(line);
  if (!json) return std::nullopt;
  FileEntry entry;
  entry.after = get_point(*json);
  const auto from = json->find("from");
  entry.before = from != json->end() && from->is_object() ? get_point(*from) : before;
  entry.position = get_position(*json);
  entry.time_ms = static_cast<std::int64_t>(number(*json, "time"));
  entry.additions = get_additions(*json, "added");
  entry.markers = get_markers(*json);
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
  state.end = get_point(*json);
  state.position = get_position(*json);
  state.markers = get_markers(*json);
  state.table = get_table(*json, "table");
  state.gaps = get_table(*json, "gaps");
  state.front = get_front(*json);
  if (state.front.begins.length > state.end.length) {
    return Error{Errc::corrupt, path + ": says that the file begins behind its end"};
  }
  return state;
}

}  // namespace ringcast::ringlog
