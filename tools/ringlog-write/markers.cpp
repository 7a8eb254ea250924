// SPDX-License-Identifier: Apache-2.0
//
// Marker lines as "#ringlog-WORD JSON".
#include "tools/ringlog-write/markers.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <variant>

#include "ringcast/names.hpp"

#include "tools/common/json.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;

std::string marker(std::string_view word, const Json& json) {
  // Names come from the network: what is not UTF-8 in them is replaced, never refused.
  return "#ringlog-" + std::string(word) + " " + tools::one_line_json(json);
}

Json head_of(const Record& record) {
  Json json;
  json["producer"] = to_string(record.producer.id);
  json["name"] = record.producer.name;
  json["seq"] = record.first_seq;
  return json;
}

std::uint64_t number(const Json& json, const char* field) {
  const auto it = json.find(field);
  return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

std::string text(const Json& json, const char* field) {
  const auto it = json.find(field);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool is_numbers(const Json& json, std::size_t count) {
  return json.is_array() && json.size() == count &&
         std::all_of(
             json.begin(), json.end(), [](const Json& item) { return item.is_number_unsigned(); });
}

Json names_of(const Table& missing) {
  Json producers = Json::array();
  for (const auto& [id, entry] : missing.entries()) {
    Json ranges = Json::array();
    for (const auto& range : entry.seen.ranges()) {
      ranges.push_back(Json::array({range.first, range.last}));
    }
    Json producer;
    producer["producer"] = to_string(id);
    producer["name"] = entry.name;
    producer["ranges"] = std::move(ranges);
    producers.push_back(std::move(producer));
  }
  return producers;
}

}  // namespace

std::string gap_marker(const Table& missing) {
  Json json;
  json["lines"] = missing.count();
  json["missing"] = names_of(missing);
  return marker("gap", json);
}

std::string unkept_marker(
    const Table& missing,
    std::uint64_t from,
    std::optional<std::uint64_t> lines_in_front,
    const FilePoint& to) {
  Json json;
  auto lines = missing.count();
  if (missing.empty() && lines_in_front) lines = to.lines - std::min(to.lines, *lines_in_front);
  json["lines"] = lines;
  json["missing"] = names_of(missing);
  json["bytes"] = Json::array({from, to.length});
  if (lines_in_front && *lines_in_front < to.lines) {
    json["numbers"] = Json::array({*lines_in_front + 1, to.lines});
  }
  return marker("gap", json);
}

std::string loss_marker(const Record& record) {
  auto json = head_of(record);
  if (const auto* dropped = std::get_if<Dropped>(&record.body)) {
    json["lines"] = dropped->lines;
    json["bytes"] = dropped->bytes;
    if (dropped->numbers != 1) json["numbers"] = dropped->numbers;
    return marker("dropped", json);
  }
  if (const auto* too_long = std::get_if<TooLong>(&record.body)) json["bytes"] = too_long->bytes;
  return marker("too-long", json);
}

std::optional<Record> parse_loss_marker(std::string_view line) {
  const auto word = marker_word(line);
  if (word != "dropped" && word != "too-long") return std::nullopt;
  const auto json = Json::parse(line.substr(std::min(line.find(' '), line.size())), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto id = parse_producer(text(json, "producer"));
  Record record;
  record.first_seq = number(json, "seq");
  if (!id || record.first_seq == 0) return std::nullopt;
  record.producer = Producer{*id, text(json, "name").substr(0, producer_name_bytes_max)};
  if (word == "dropped") {
    const auto numbers = json.contains("numbers") ? number(json, "numbers") : 1;
    if (numbers == 0 || numbers > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    record.body =
        Dropped{number(json, "lines"), number(json, "bytes"), static_cast<std::uint32_t>(numbers)};
  } else {
    record.body = TooLong{number(json, "bytes")};
  }
  return record;
}

std::string merged_marker(const ConfigurationId& configuration, std::uint64_t lines) {
  Json json;
  json["configuration"] = to_string(configuration);
  json["lines"] = lines;
  return marker("merged", json);
}

std::string pending_head(
    const Record& record,
    const std::string& position,
    const std::string& why,
    const std::string& daemon) {
  auto json = head_of(record);
  json["count"] = range_of(record).count();
  json["position"] = position;
  json["why"] = why;
  if (!daemon.empty()) json["daemon"] = daemon;
  if (const auto* dropped = std::get_if<Dropped>(&record.body)) {
    json["lost"] = Json::array({dropped->lines, dropped->bytes});
  } else if (const auto* too_long = std::get_if<TooLong>(&record.body)) {
    json["lost"] = Json::array({too_long->bytes});
  }
  return marker("pending", json);
}

std::optional<PendingHead> parse_pending_head(std::string_view line) {
  constexpr std::string_view head = "#ringlog-pending ";
  if (!line.starts_with(head)) return std::nullopt;
  const auto json = Json::parse(line.substr(head.size()), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  PendingHead parsed;
  parsed.lines = number(json, "count");
  parsed.record.first_seq = number(json, "seq");
  const auto id = parse_producer(text(json, "producer"));
  const auto last = parsed.record.first_seq + parsed.lines - 1;
  if (!id || parsed.lines == 0 || parsed.record.first_seq == 0 || last < parsed.lines) {
    return std::nullopt;
  }
  parsed.record.producer = Producer{*id, text(json, "name").substr(0, producer_name_bytes_max)};
  parsed.daemon = text(json, "daemon").substr(0, name_bytes_max);
  const auto lost = json.find("lost");
  if (lost == json.end()) {
    parsed.record.body = Lines{};
  } else if (is_numbers(*lost, 2)) {
    parsed.record.body = Dropped{(*lost)[0].get<std::uint64_t>(), (*lost)[1].get<std::uint64_t>()};
  } else if (is_numbers(*lost, 1)) {
    parsed.record.body = TooLong{(*lost)[0].get<std::uint64_t>()};
  } else {
    return std::nullopt;
  }
  return parsed;
}

std::string_view marker_word(std::string_view line) {
  constexpr std::string_view head = "#ringlog-";
  if (!line.starts_with(head)) return {};
  line.remove_prefix(head.size());
  return line.substr(0, line.find(' '));
}

}  // namespace ringcast::ringlog
