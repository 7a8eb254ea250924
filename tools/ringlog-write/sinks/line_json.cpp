// SPDX-License-Identifier: Apache-2.0
//
// Fields in the order in which people ask for them.
#include "tools/ringlog-write/sinks/line_json.hpp"

#include <array>
#include <cstdio>

#include "tools/common/base64.hpp"
#include "tools/common/json.hpp"
#include "tools/common/utf8.hpp"
#include "tools/ringlog-write/sinks/log_time.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::int64_t ms_per_second = 1000;

}  // namespace

std::string iso_time(std::int64_t time_ms) {
  const auto parts = broken_down(time_ms / ms_per_second, true);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> rest{};
  (void)std::snprintf(
      rest.data(), rest.size(), ".%03dZ", static_cast<int>(time_ms % ms_per_second));
  return std::string(text.data(), size) + rest.data();
}

std::string line_json(const SinkLine& line, const std::string& group) {
  const auto& origin = line.journal->origin;
  tools::Json json;
  json["group"] = group;
  if (tools::is_valid_utf8(line.text)) {
    json["line"] = line.text;
  } else {
    json["line_base64"] = tools::base64(tools::as_bytes(line.text));
  }
  json["position"] = line.journal->end;
  json["received"] = iso_time(origin.time_ms);
  if (line.journal->is_marker) {
    json["marker"] = true;
  } else {
    if (!line.vhost.empty()) json["vhost"] = line.vhost;
    json["publisher"] = origin.source->name;
    json["daemon"] = origin.source->daemon;
    json["producer"] = origin.source->producer;
    json["seq"] = origin.first_seq;
  }
  return tools::one_line_json(json) + "\n";
}

}  // namespace ringcast::ringlog
