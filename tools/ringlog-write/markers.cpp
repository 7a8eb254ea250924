// SPDX-License-Identifier: Apache-2.0
//
// Marker lines as "#ringlog-WORD JSON".
#include "tools/ringlog-write/markers.hpp"

#include <string_view>
#include <variant>

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

}  // namespace

std::string gap_marker(const Table& missing) {
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
  Json json;
  json["lines"] = missing.count();
  json["missing"] = std::move(producers);
  return marker("gap", json);
}

std::string loss_marker(const Record& record) {
  auto json = head_of(record);
  if (const auto* dropped = std::get_if<Dropped>(&record.body)) {
    json["lines"] = dropped->lines;
    json["bytes"] = dropped->bytes;
    return marker("dropped", json);
  }
  if (const auto* too_long = std::get_if<TooLong>(&record.body)) json["bytes"] = too_long->bytes;
  return marker("too-long", json);
}

std::string pending_head(
    const Record& record, const std::string& position, const std::string& why) {
  auto json = head_of(record);
  json["count"] = range_of(record).count();
  json["position"] = position;
  json["why"] = why;
  return marker("pending", json);
}

std::uint64_t pending_count(std::string_view line) {
  constexpr std::string_view head = "#ringlog-pending ";
  if (!line.starts_with(head)) return 0;
  const auto json = Json::parse(line.substr(head.size()), nullptr, false);
  if (!json.is_object()) return 0;
  const auto count = json.find("count");
  return count != json.end() && count->is_number_unsigned() ? count->get<std::uint64_t>() : 0;
}

}  // namespace ringcast::ringlog
