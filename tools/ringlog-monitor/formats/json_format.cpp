// SPDX-License-Identifier: Apache-2.0
//
// A SAX reader: no tree is built, and depth costs a counter.
#include "tools/ringlog-monitor/formats/json_format.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace ringcast::monitor {

namespace {

using Json = nlohmann::json;

struct Name {
  std::string_view key;
  Field field;
};

constexpr std::array names = {
    Name{"remote_addr", Field::client},
    Name{"remote_ip", Field::client},
    Name{"client_ip", Field::client},
    Name{"clientip", Field::client},
    Name{"client", Field::client},
    Name{"ClientHost", Field::client},
    Name{"time_local", Field::time_common},
    Name{"time_iso8601", Field::time_iso8601},
    Name{"@timestamp", Field::time_iso8601},
    Name{"timestamp", Field::time_iso8601},
    Name{"time", Field::time_iso8601},
    Name{"StartUTC", Field::time_iso8601},
    Name{"ts", Field::time_seconds},
    Name{"msec", Field::time_seconds},
    Name{"request", Field::request},
    Name{"request_method", Field::method},
    Name{"method", Field::method},
    Name{"RequestMethod", Field::method},
    Name{"request_uri", Field::page},
    Name{"uri", Field::page},
    Name{"path", Field::page},
    Name{"url", Field::page},
    Name{"RequestPath", Field::page},
    Name{"status", Field::status},
    Name{"status_code", Field::status},
    Name{"response", Field::status},
    Name{"DownstreamStatus", Field::status},
    Name{"body_bytes_sent", Field::bytes},
    Name{"bytes", Field::bytes},
    Name{"size", Field::bytes},
    Name{"DownstreamContentSize", Field::bytes},
    Name{"bytes_sent", Field::bytes_on_wire},
    Name{"http_referer", Field::referrer},
    Name{"http_referrer", Field::referrer},
    Name{"referer", Field::referrer},
    Name{"referrer", Field::referrer},
    Name{"Referer", Field::referrer},
    Name{"http_user_agent", Field::agent},
    Name{"user_agent", Field::agent},
    Name{"agent", Field::agent},
    Name{"User-Agent", Field::agent},
    Name{"request_time", Field::latency_seconds},
    Name{"duration", Field::latency_seconds},
    Name{"duration_ms", Field::latency_milliseconds},
    Name{"latency_ms", Field::latency_milliseconds},
    Name{"duration_us", Field::latency_microseconds},
    Name{"server_name", Field::server},
    Name{"http_host", Field::server},
    Name{"host", Field::server},
    Name{"vhost", Field::server},
    Name{"RequestHost", Field::server},
};

Field field_named(std::string_view key) {
  for (const auto& name : names) {
    if (name.key == key) return name.field;
  }
  return Field::ignored;
}

// Objects whose members count as those of the line: Caddy has request and request.headers.
bool is_looked_into(std::string_view key) { return key == "request" || key == "headers"; }

// Its member functions are those nlohmann::json asks for; each returns whether to go on.
class Reader {
 public:
  explicit Reader(std::array<std::string, JsonFormat::fields>& texts) : texts_(texts) {}

  bool null() { return true; }
  bool boolean(bool /*value*/) { return true; }
  bool number_integer(std::int64_t value) { return value < 0 || keep_text(std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) { return keep_text(std::to_string(value)); }
  // As it is written, but for exponents, which no field reads.
  bool number_float(double /*value*/, const std::string& text) { return keep_text(text); }
  bool string(std::string& text) { return keep_text(std::move(text)); }
  // nlohmann's type for CBOR and the like; no text holds it.
  bool binary(Json::binary_t& /*value*/) { return false; }

  bool start_object(std::size_t /*elements*/) {
    const bool is_line = depth_ == 0;
    if (is_line) is_object_ = true;
    if (hidden_ == 0 && (is_line || is_looked_into(key_))) {
      ++depth_;
    } else {
      ++hidden_;
    }
    field_ = Field::ignored;
    return true;
  }
  bool end_object() {
    --(hidden_ > 0 ? hidden_ : depth_);
    return true;
  }
  // A list of one, as Caddy has for headers, is its element; of more, its last.
  bool start_array(std::size_t /*elements*/) { return is_object_; }
  bool end_array() { return true; }
  bool key(std::string& text) {
    key_ = std::move(text);
    field_ = hidden_ == 0 ? field_named(key_) : Field::ignored;
    return true;
  }
  bool parse_error(
      std::size_t /*position*/, const std::string& /*token*/, const Json::exception& /*error*/) {
    return false;
  }

  [[nodiscard]] bool is_object() const { return is_object_; }

 private:
  bool keep_text(std::string text) {
    if (field_ != Field::ignored) texts_.at(static_cast<std::size_t>(field_)) = std::move(text);
    return is_object_;
  }

  std::array<std::string, JsonFormat::fields>& texts_;
  std::string key_;
  Field field_{Field::ignored};
  std::size_t depth_{0};   // objects that are looked into
  std::size_t hidden_{0};  // others, inside them
  bool is_object_{false};
};

}  // namespace

bool JsonFormat::match(std::string_view line, Request& request) {
  if (!line.starts_with('{')) return false;
  for (auto& text : texts_) {
    text.clear();
  }
  Reader reader(texts_);
  if (!Json::sax_parse(line.begin(), line.end(), &reader) || !reader.is_object()) return false;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    if (texts_.at(i).empty()) continue;
    const auto field = static_cast<Field>(i);
    const bool is_time = field == Field::time_iso8601 || field == Field::time_seconds;
    // Names such as "time" stand for many forms; a line is not less a request for that.
    if (!assign(request, field, texts_.at(i)) && !is_time) return false;
  }
  return request.status || !request.page.empty();
}

}  // namespace ringcast::monitor
